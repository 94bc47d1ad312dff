"""The importance matrix: what goes into each linear layer, squared, on average over the tokens of the texts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM

from idiolect.dataset import TokenizedSample
from idiolect.training.importance import Heard, listening, means
from idiolect.training.loop import summed_loss
from idiolect.training.rows import fuse

TOKENS = [tuple(range(n, 300, 7 + n)) for n in range(4)]
SAMPLES = [TokenizedSample(str(n), tokens, (True,) * len(tokens)) for n, tokens in enumerate(TOKENS)]


@pytest.fixture(scope="module")
def model(tiny_base: Path) -> Any:
    return AutoModelForCausalLM.from_pretrained(tiny_base, dtype=torch.float32)


def heard_from(model: Any, samples: Sequence[TokenizedSample], budget: int) -> Heard:
    with listening(model.eval()) as heard, torch.no_grad():
        for row in fuse(samples, budget)["rows"]:
            summed_loss(model, row)
    return heard


def test_it_is_the_mean_square_of_what_a_layer_sees(model: Any) -> None:
    found = means([heard_from(model, SAMPLES, budget=100)])
    layer = model.model.layers[0]
    with torch.no_grad():
        seen = torch.cat([layer.input_layernorm(model.model.embed_tokens(torch.tensor(s.tokens))) for s in SAMPLES])
    for name in ("q", "k", "v"):
        assert torch.allclose(found[f"model.layers.0.self_attn.{name}_proj.weight"], seen.square().mean(0), rtol=1e-5)
    linear = {f"{n}.weight" for n, m in model.named_modules() if isinstance(m, torch.nn.Linear) and n != "lm_head"}
    assert found.keys() == linear
    assert not any(module._forward_pre_hooks for module in model.modules())


def test_laying_samples_into_rows_and_dealing_them_to_processes_changes_nothing(model: Any) -> None:
    together = means([heard_from(model, SAMPLES, budget=10_000)])
    apart = means([heard_from(model, [sample], budget=10_000) for sample in SAMPLES])
    assert all(torch.allclose(values, apart[name], rtol=1e-4) for name, values in together.items())


@pytest.mark.filterwarnings("ignore::UserWarning:peft")
def test_under_an_adapter_the_layers_keep_their_names(tiny_base: Path) -> None:
    bare = AutoModelForCausalLM.from_pretrained(tiny_base, dtype=torch.float32)
    expected = means([heard_from(bare, SAMPLES, budget=100)])
    found = means([heard_from(worn(bare), SAMPLES, budget=100)])
    assert found.keys() == expected.keys()
    # An adapter that is not trained changes nothing.
    assert all(torch.allclose(found[name], expected[name], rtol=1e-4) for name in expected)


def worn(bare: Any) -> Any:
    return get_peft_model(bare, LoraConfig(r=2, target_modules=["q_proj", "down_proj"]))
