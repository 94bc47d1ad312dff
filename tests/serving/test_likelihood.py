"""The losses of a model file, as llama.cpp computes them, beside those of Transformers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from idiolect.dataset import TokenizedSample
from idiolect.errors import DataFault, RunFailed
from idiolect.export import export_gguf
from idiolect.serving import continuation, likelihood_losses, load
from idiolect.serving.gguf_tensors import tensors
from tests.tiny import write_model, write_tokenizer

SAMPLES = [
    TokenizedSample("a", tuple(range(5, 45)), (False,) * 10 + (True,) * 30),
    TokenizedSample("b", (7, 300, 12, 9), (True, False, True, True)),
    TokenizedSample("c", (7, 300), (False, False)),
]


def by_transformers(base: Path) -> list[float]:
    import torch
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    losses = []
    for sample in SAMPLES:
        with torch.no_grad():
            logits = model(torch.tensor([sample.tokens])).logits[0].log_softmax(-1)
        learned = [i for i, flag in enumerate(sample.learned) if flag and i > 0]
        losses.append(-sum(float(logits[i - 1, sample.tokens[i]]) for i in learned))
    return losses


@pytest.mark.parametrize("tied", [False, True])
def test_losses_are_those_of_the_weights(tmp_path: Path, tied: bool) -> None:
    base = write_model(tmp_path / "base", "Llama", hidden_size=64, num_hidden_layers=2, tie_word_embeddings=tied)
    write_tokenizer(base)
    export_gguf(base, tmp_path / "m.gguf", "F16", name="m")
    assert likelihood_losses(tmp_path / "m.gguf", SAMPLES) == pytest.approx(by_transformers(base), rel=5e-3)
    assert likelihood_losses(tmp_path / "m.gguf", []) == []


def test_single_tensors_are_read_as_the_gguf_package_reads_them(tmp_path: Path, tiny_base: Path) -> None:
    from gguf import GGUFReader

    export_gguf(tiny_base, tmp_path / "m.gguf", "Q8_0", name="m")
    theirs = {t.name: t for t in GGUFReader(tmp_path / "m.gguf").tensors}
    matrices = {name for name, tensor in theirs.items() if len(tensor.shape) == 2}
    ours = tensors(tmp_path / "m.gguf", {*matrices, "no such tensor"})
    assert ours.keys() == matrices
    for name, tensor in ours.items():
        assert tensor.type == theirs[name].tensor_type
        assert np.array_equal(tensor.rows.ravel(), theirs[name].data.view(np.uint8).ravel()), name


def test_a_file_that_is_no_model_is_refused(tmp_path: Path) -> None:
    (tmp_path / "m.gguf").write_bytes(b"GGUF" + bytes(60))
    with pytest.raises(DataFault, match="cannot be loaded"):
        likelihood_losses(tmp_path / "m.gguf", SAMPLES)


def test_a_text_longer_than_the_base_has_positions_for_is_refused(tmp_path: Path, tiny_base: Path) -> None:
    export_gguf(tiny_base, tmp_path / "m.gguf", "Q8_0", name="m")
    long = TokenizedSample("a", (5,) * 513, (True,) * 513)
    with pytest.raises(RunFailed, match="cannot read a text of 513 tokens"):
        likelihood_losses(tmp_path / "m.gguf", [long])


def test_a_continuation_is_the_same_each_time(tmp_path: Path, tiny_base: Path) -> None:
    export_gguf(tiny_base, tmp_path / "m.gguf", "F16", name="m")
    model = load(tmp_path / "m.gguf", context=256)
    assert continuation(model, [5, 6, 7], 8) == continuation(model, [5, 6, 7], 8)
