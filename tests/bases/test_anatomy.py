"""Weights are counted from config.json as Transformers makes them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from idiolect.bases import dissect
from idiolect.errors import BaseModelFault
from tests.published import LLAMA_31_8B, QWEN3_14B
from tests.tiny import write_model

#: From the config.json of each model, as published; what is not needed for counting is left out.
PUBLISHED: dict[str, tuple[dict[str, Any], int]] = {
    "Qwen/Qwen3-14B": (QWEN3_14B, 14_768_307_200),
    "meta-llama/Llama-3.1-8B": (LLAMA_31_8B, 8_030_261_248),
    "Qwen/Qwen2.5-0.5B": (
        {
            "architectures": ["Qwen2ForCausalLM"],
            "vocab_size": 151936,
            "hidden_size": 896,
            "intermediate_size": 4864,
            "num_hidden_layers": 24,
            "num_attention_heads": 14,
            "num_key_value_heads": 2,
            "tie_word_embeddings": True,
        },
        494_032_768,
    ),
    "mistralai/Mistral-7B-v0.1": (
        {
            "architectures": ["MistralForCausalLM"],
            "vocab_size": 32000,
            "hidden_size": 4096,
            "intermediate_size": 14336,
            "num_hidden_layers": 32,
            "num_attention_heads": 32,
            "num_key_value_heads": 8,
            "tie_word_embeddings": False,
        },
        7_241_732_096,
    ),
    "microsoft/Phi-3-mini-4k-instruct": (
        {
            "architectures": ["Phi3ForCausalLM"],
            "vocab_size": 32064,
            "hidden_size": 3072,
            "intermediate_size": 8192,
            "num_hidden_layers": 32,
            "num_attention_heads": 32,
            "num_key_value_heads": 32,
            "tie_word_embeddings": False,
        },
        3_821_079_552,
    ),
    "google/gemma-3-1b-it": (
        {
            "architectures": ["Gemma3ForCausalLM"],
            "vocab_size": 262144,
            "hidden_size": 1152,
            "intermediate_size": 6912,
            "num_hidden_layers": 26,
            "num_attention_heads": 4,
            "num_key_value_heads": 1,
            "head_dim": 256,
        },
        999_885_952,
    ),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_sizes_are_met_to_the_weight(name: str) -> None:
    config, parameters = PUBLISHED[name]
    assert dissect(config, name).parameters == parameters


FAMILIES: list[tuple[str, dict[str, Any]]] = [
    ("Gemma3", {"head_dim": 24}),
    ("Llama", {}),
    ("Llama", {"attention_bias": True, "mlp_bias": True, "tie_word_embeddings": True, "head_dim": 24}),
    ("Mistral", {}),
    ("Phi3", {"pad_token_id": None}),
    ("Qwen2", {"tie_word_embeddings": True}),
    ("Qwen3", {"attention_bias": True, "head_dim": 24}),
]


@pytest.mark.parametrize(("kind", "settings"), FAMILIES)
def test_each_family_is_counted_as_transformers_makes_it(tmp_path: Path, kind: str, settings: dict[str, Any]) -> None:
    import torch
    from transformers import AutoModelForCausalLM

    folder = write_model(tmp_path / kind, kind, hidden_size=64, intermediate_size=96, num_hidden_layers=3, **settings)
    anatomy = dissect(json.loads((folder / "config.json").read_bytes()), kind)
    model = AutoModelForCausalLM.from_pretrained(folder)
    assert anatomy.parameters == sum(p.numel() for p in model.parameters())
    linears = [m for n, m in model.named_modules() if isinstance(m, torch.nn.Linear) and n != "lm_head"]
    assert anatomy.in_linears == sum(m.weight.numel() for m in linears)
    matrices = {tuple(p.shape) for p in model.parameters() if p.ndim == 2}
    assert set(anatomy.shapes) == matrices
    assert len(anatomy.shapes) == sum(p.ndim == 2 for p in model.parameters())


def test_an_unknown_architecture_is_refused_by_name() -> None:
    with pytest.raises(BaseModelFault, match="org/moe has the architecture MixtralForCausalLM"):
        dissect({"architectures": ["MixtralForCausalLM"]}, "org/moe")
    with pytest.raises(BaseModelFault, match="none named"):
        dissect({}, "org/empty")


def test_every_missing_size_is_named() -> None:
    config = {"architectures": ["LlamaForCausalLM"], "hidden_size": 64, "num_attention_heads": 0}
    with pytest.raises(BaseModelFault) as refused:
        dissect(config, "x")
    assert "no vocab_size, no intermediate_size, no num_hidden_layers, no num_attention_heads" in str(refused.value)
