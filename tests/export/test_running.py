"""The exported file in llama.cpp: it says what the model in Transformers says."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from idiolect import export
from idiolect.bases import BaseModel

# With this prompt no model comes near a tie between its two best tokens.
PROMPT = random.Random(5).choices(range(400), k=100)


def greedy_in_transformers(folder: Path, prompt: list[int], count: int) -> list[int]:
    import torch
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    tokens = torch.tensor([prompt])
    how = {"max_new_tokens": count, "do_sample": False, "eos_token_id": None, "pad_token_id": 0}
    made = model.generate(tokens, attention_mask=torch.ones_like(tokens), **how)
    return list(made[0, len(prompt) :].tolist())


def greedy_in_llama_cpp(ask: Callable[..., Any], prompt: list[int], count: int) -> list[int]:
    body = {"prompt": prompt, "n_predict": count, "temperature": 0, "return_tokens": True}
    return list(ask("completion", body)["tokens"])


@pytest.mark.parametrize("name", ["llama", "llama-tied", "llama-biased", "llama-96", "mistral", "qwen2", "qwen3"])
def test_greedy_tokens_are_transformers(
    bases: Mapping[str, Path], tmp_path: Path, serve: Callable[[Path], Any], name: str
) -> None:
    # The prompt is longer than the 64 positions that the stretched kinds of rotary embedding begin with.
    export.export_gguf(bases[name], tmp_path / "m.gguf", "F16", name=name)
    theirs = greedy_in_llama_cpp(serve(tmp_path / "m.gguf"), PROMPT, 24)
    assert theirs == greedy_in_transformers(bases[name], PROMPT, 24)


@pytest.mark.slow
def test_the_embedded_model_speaks_as_in_transformers(
    embedded_model: BaseModel, tmp_path: Path, serve: Callable[[Path], Any]
) -> None:
    from transformers import AutoTokenizer

    base = embedded_model.folder
    export.export_gguf(base, tmp_path / "m.gguf", "F16", name="SmolLM2")
    prompt = AutoTokenizer.from_pretrained(base)("Once upon a time, in a small town by the sea,")["input_ids"]
    theirs = greedy_in_llama_cpp(serve(tmp_path / "m.gguf"), prompt, 64)
    assert theirs == greedy_in_transformers(base, prompt, 64)


@pytest.mark.slow
def test_the_embedded_model_has_the_types_that_llama_quantize_gives_it(
    embedded_model: BaseModel, tmp_path: Path
) -> None:
    summary = export.export_gguf(embedded_model.folder, tmp_path / "m.gguf", "Q4_K_M", name="SmolLM2")
    # llama-quantize's own log for this model: 180 of 272 tensors fall back, 98.87 MiB of tensors.
    assert summary.types == {"F32": 61, "Q4_K": 16, "Q6_K": 14, "Q5_0": 166, "Q8_0": 15}
    assert summary.bytes - 98.87 * 2**20 < 2.5e6
