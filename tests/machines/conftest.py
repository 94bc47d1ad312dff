"""A small job, and how its weights are told apart."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal

import pytest

from idiolect.config import Options
from idiolect.dataset import TrainingText
from idiolect.files import sha256
from idiolect.training import write_bundle
from tests.tiny import SENTENCES

MakeJob = Callable[..., Path]


@pytest.fixture
def make_job(tmp_path: Path, tiny_base: Path) -> MakeJob:
    """Return a function that writes a bundle of so many epochs on short texts, an eighth of them held out."""

    def make(name: str, epochs: float, texts: int = 24, trains: Literal["adapter", "model"] = "adapter") -> Path:
        lines = []
        for n in range(texts):
            said = SENTENCES[n % 5]
            text = f"<|im_start|>user\n{n}?<|im_end|>\n<|im_start|>assistant\n{said}<|im_end|>\n"
            span = (text.index(said), len(text) - 1)
            split = "held_out" if n % 8 == 0 else "train"
            lines.append(TrainingText(id=f"{n}", split=split, mode="emulation", text=text, learned=(span,)))  # type: ignore[arg-type]
        options = Options(num_train_epochs=epochs, dtype="float32", optimizer="adamw_torch", learning_rate=1e-2)
        write_bundle(tmp_path / name, trains, options, lines, tiny_base / "tokenizer.json")
        return tmp_path / name

    return make


def weights(bundle: Path) -> str:
    return sha256(bundle / "outputs" / "adapter" / "adapter_model.safetensors")
