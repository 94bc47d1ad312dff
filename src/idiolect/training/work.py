"""How much there is to learn: a data set by its size, and the largest row that a model will see of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from idiolect.config import Options

Device = Literal["cpu", "gpu"]
Trains = Literal["adapter", "model"]

#: Tokens in a fused row. On a GPU they are reasoned, not measured: enough to keep it busy, while a mask, and the logits
#: of what is learned, still fit; where memory does not suffice after all, they are halved.
ROW_TOKENS = {"cpu": 512, "gpu": 4096}


@dataclass(frozen=True)
class Work:
    """One epoch. `learned` of its `tokens` are the person's own; `longest` is the longest sample's tokens."""

    samples: int
    tokens: int
    learned: int
    longest: int
    source: str


@dataclass(frozen=True)
class Row:
    """A row of fused samples: its tokens, how many are learned, and how many see each other."""

    tokens: int
    learned: int
    sample: int


def largest_row(work: Work, budget: int, options: Options) -> Row:
    """Return the largest row of a training: as full as the budget or the largest step allows, or its longest sample.

    A row holds samples of one optimizer step; the largest is taken to be half as large again as the mean.
    """
    sample = min(work.longest, options.max_seq_length)
    a_step = options.per_device_train_batch_size * options.gradient_accumulation_steps
    step = -(-3 * a_step * work.tokens // (2 * work.samples))
    tokens = min(max(sample, min(budget, step)), work.tokens)
    return Row(tokens, min(work.learned, -(-tokens * work.learned // work.tokens)), sample)
