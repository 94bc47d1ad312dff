"""How much there is to learn: a data set by its size, and the largest row that a model will see of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

#: Tokens in a fused row on a CPU; on a GPU it is filled to max_seq_length.
ROW_BUDGET_ON_CPU = 512

Trains = Literal["adapter", "model"]


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


def largest_row(work: Work, budget: int, max_seq_length: int) -> Row:
    """Return the largest row of a data set: full to the budget, or its longest sample."""
    sample = min(work.longest, max_seq_length)
    tokens = min(max(sample, budget), work.tokens)
    return Row(tokens, min(work.learned, -(-tokens * work.learned // work.tokens)), sample)
