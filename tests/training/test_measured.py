"""What the training process measures beside its loss: each held-out text, and each probe, before and after."""

from __future__ import annotations

from pathlib import Path

import pytest

from idiolect.config import Options
from idiolect.dataset import TrainingText
from idiolect.training import read_measured, read_result, write_bundle
from idiolect.training.bundle import open_bundle
from idiolect.training.train import train
from tests.tiny import SENTENCES


def text(name: str, split: str, sentence: str) -> TrainingText:
    whole = f"<|im_start|>user\n{name}?<|im_end|>\n<|im_start|>assistant\n{sentence}<|im_end|>\n"
    start = whole.rindex(sentence)
    return TrainingText(id=name, split=split, mode="dual", text=whole, learned=((start, len(whole) - 1),))  # type: ignore[arg-type]


def test_each_texts_loss_is_kept_and_probes_are_not_learned(tmp_path: Path, tiny_base: Path) -> None:
    texts = [text(f"{n}", "held_out" if n % 6 == 0 else "train", SENTENCES[n % 2]) for n in range(24)]
    probes = [text("like", "held_out", SENTENCES[0]), text("unlike", "held_out", SENTENCES[2])]
    options = Options(learning_rate=1e-2, num_train_epochs=2, warmup_steps=0, dtype="float32")
    write_bundle(tmp_path / "bundle", "adapter", options, texts, tiny_base / "tokenizer.json", probes=probes)
    train(open_bundle(tmp_path / "bundle"), tiny_base, lambda _: None)
    result, measured = read_result(tmp_path / "bundle"), read_measured(tmp_path / "bundle")
    tokens = sum(loss.tokens for loss in measured.held_out)
    assert {loss.id for loss in measured.held_out} == {"0", "6", "12", "18"}
    assert sum(loss.before for loss in measured.held_out) / tokens == pytest.approx(result.loss_before, rel=1e-5)
    assert sum(loss.after for loss in measured.held_out) / tokens == pytest.approx(result.loss_after, rel=1e-5)
    assert [step for step, _ in measured.curve] == list(range(1, result.steps + 1))
    like, unlike = measured.probes
    assert (like.id, unlike.id) == ("like", "unlike")
    assert like.before - like.after > 5 * abs(unlike.before - unlike.after) / unlike.tokens * like.tokens
    assert result.samples == 20
