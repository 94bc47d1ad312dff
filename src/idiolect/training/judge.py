"""How well a model foresees a person's words: the loss of training, on texts that are not trained on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from idiolect.dataset import TrainingText

#: Tokens that are read at once: attention over more takes longer than it saves.
ROW_TOKENS = 512


def mean_loss(model: Any, texts: Sequence[TrainingText], tokenizer_json: Path) -> float:
    """Return the negative log-likelihood, in nats a learned token, that a Transformers model gives to `texts`."""
    import torch

    from idiolect.dataset import tokenize
    from idiolect.training.loop import summed_loss
    from idiolect.training.rows import fuse, to_device

    laid = fuse(tokenize(texts, tokenizer_json), ROW_TOKENS)
    model.eval()
    with torch.no_grad():
        losses: list[float] = [summed_loss(model, to_device(row, model.device)).item() for row in laid["rows"]]
    return sum(losses) / laid["learned_tokens"]
