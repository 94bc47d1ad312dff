"""The exported file in llama.cpp: it says what the model in Transformers says."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from idiolect import export
from idiolect.bases import BaseModel
from tests.export.test_weights import adapted, loaded

# With this prompt no model comes near a tie between its two best tokens.
PROMPT = random.Random(5).choices(range(400), k=100)


def greedy_in_transformers(model: Any, prompt: list[int], count: int) -> list[int]:
    import torch

    tokens = torch.tensor([prompt])
    how = {"max_new_tokens": count, "do_sample": False, "eos_token_id": None, "pad_token_id": 0}
    made = model.generate(input_ids=tokens, attention_mask=torch.ones_like(tokens), **how)
    return list(made[0, len(prompt) :].tolist())


def greedy_in_llama_cpp(ask: Callable[..., Any], prompt: list[int], count: int) -> list[int]:
    body = {"prompt": prompt, "n_predict": count, "temperature": 0, "return_tokens": True}
    return list(ask("completion", body)["tokens"])


@pytest.mark.parametrize(
    "name",
    [
        "gemma3",
        "llama",
        "llama-tied",
        "llama-biased",
        "llama-96",
        "mistral",
        "phi3",
        "phi3-short",
        "qwen2",
        "qwen3",
    ],
)
def test_greedy_tokens_are_transformers(
    bases: Mapping[str, Path], tmp_path: Path, serve: Callable[[Path], Any], name: str
) -> None:
    # The prompt is longer than the 64 positions that the stretched kinds of rotary embedding begin with.
    export.export_gguf(bases[name], tmp_path / "m.gguf", "F16", name="tiny")
    theirs = greedy_in_llama_cpp(serve(tmp_path / "m.gguf"), PROMPT, 24)
    assert theirs == greedy_in_transformers(loaded(bases[name]), PROMPT, 24)


@pytest.mark.filterwarnings("ignore::UserWarning:peft")
@pytest.mark.parametrize(
    "settings",
    [
        {"target_modules": ["embed_tokens", "q_proj"], "lora_alpha": 3},
        {"target_modules": ["lm_head"], "lora_alpha": 3},
        {"target_modules": ["o_proj"], "lora_alpha": 1, "modules_to_save": ["embed_tokens"]},
    ],
    ids=["embedding", "output", "whole embedding"],
)
def test_an_adapter_on_one_of_two_tied_matrices_unties_them(
    bases: Mapping[str, Path], tmp_path: Path, serve: Callable[[Path], Any], settings: dict[str, Any]
) -> None:
    # Not PEFT's merge, which changes the other matrix too: the model that wears the adapter, as in training.
    model = adapted(bases["llama-tied"], tmp_path / "adapter", **settings)
    export.export_gguf(bases["llama-tied"], tmp_path / "m.gguf", "F16", adapter=tmp_path / "adapter", name="tiny")
    theirs = greedy_in_llama_cpp(serve(tmp_path / "m.gguf"), PROMPT, 16)
    assert theirs == greedy_in_transformers(model, PROMPT, 16)


@pytest.mark.slow
@pytest.mark.parametrize("quantization", ["F16", "BF16"])
def test_the_embedded_model_speaks_as_in_transformers(
    embedded_model: BaseModel, tmp_path: Path, serve: Callable[[Path], Any], quantization: str
) -> None:
    from transformers import AutoTokenizer

    base = embedded_model.folder
    export.export_gguf(base, tmp_path / "m.gguf", quantization, name="SmolLM2")
    prompt = AutoTokenizer.from_pretrained(base)("Once upon a time, in a small town by the sea,")["input_ids"]
    theirs = greedy_in_llama_cpp(serve(tmp_path / "m.gguf"), prompt, 64)
    assert theirs == greedy_in_transformers(loaded(base), prompt, 64)


@pytest.mark.slow
def test_the_embedded_model_has_the_types_that_llama_quantize_gives_it(
    embedded_model: BaseModel, tmp_path: Path
) -> None:
    summary = export.export_gguf(embedded_model.folder, tmp_path / "m.gguf", "Q4_K_M", name="SmolLM2")
    # llama-quantize's own log for this model: 180 of 272 tensors fall back, 98.87 MiB of tensors.
    assert summary.types == {"F32": 61, "Q4_K": 16, "Q6_K": 14, "Q5_0": 166, "Q8_0": 15}
    assert summary.bytes - 98.87 * 2**20 < 2.5e6
