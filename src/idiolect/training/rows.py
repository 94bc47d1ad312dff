"""Batch fusion: the samples of one optimizer step, laid one after another in as few rows as fit a token budget.

Each sample attends only to itself: positions restart at 0 with each, no attention mask is given, and Transformers
then builds the block-diagonal mask from the positions. An all-ones mask would silently let samples see each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypedDict

import torch

from idiolect.dataset import TokenizedSample


class Row(TypedDict):
    """Fused samples. `input_ids`, `position_ids`: (1, tokens); `predicting`, `targets`: (learned tokens,).

    `samples` has each one's id and how many learned tokens are its own, in their order.
    """

    input_ids: torch.Tensor
    position_ids: torch.Tensor
    predicting: torch.Tensor
    targets: torch.Tensor
    samples: list[tuple[str, int]]


class Step(TypedDict):
    """What one optimizer step sees."""

    rows: list[Row]
    learned_tokens: int


#: A row that teaches nothing, for a process that has nothing to do while others have: they all must go together.
NOTHING = Row(
    input_ids=torch.zeros((1, 1), dtype=torch.long),
    position_ids=torch.zeros((1, 1), dtype=torch.long),
    predicting=torch.zeros(0, dtype=torch.long),
    targets=torch.zeros(0, dtype=torch.long),
    samples=[],
)


def fuse(samples: Sequence[TokenizedSample], budget: int) -> Step:
    """Lay samples into rows of at most `budget` tokens, the longest first; a longer one has a row of its own."""
    rows: list[list[TokenizedSample]] = []
    room: list[int] = []
    for sample in sorted(samples, key=lambda s: len(s.tokens), reverse=True):
        length = len(sample.tokens)
        place = next((i for i, free in enumerate(room) if free >= length), None)
        if place is None:
            rows.append([sample])
            room.append(budget - length)
        else:
            rows[place].append(sample)
            room[place] -= length
    return Step(rows=[_row(row) for row in rows], learned_tokens=sum(s.learned_tokens for s in samples))


def share(samples: Sequence[TokenizedSample], processes: int) -> list[list[TokenizedSample]]:
    """Deal samples out to so many processes, each of which gets about as many tokens; a share may be empty."""
    shares: list[list[TokenizedSample]] = [[] for _ in range(processes)]
    tokens = [0] * processes
    for sample in sorted(samples, key=lambda s: len(s.tokens), reverse=True):
        least = tokens.index(min(tokens))
        shares[least].append(sample)
        tokens[least] += len(sample.tokens)
    return shares


def to_device(row: Row, device: Any) -> Row:
    return {
        **row,
        "input_ids": row["input_ids"].to(device),
        "position_ids": row["position_ids"].to(device),
        "predicting": row["predicting"].to(device),
        "targets": row["targets"].to(device),
    }


def _row(samples: Sequence[TokenizedSample]) -> Row:
    tokens = [t for s in samples for t in s.tokens]
    positions = [p for s in samples for p in range(len(s.tokens))]
    # The first token of a sample is predicted by nothing: before it stands another sample.
    learned = [flag and p > 0 for s in samples for p, flag in enumerate(s.learned)]
    at = [i for i, flag in enumerate(learned) if flag]
    return Row(
        input_ids=torch.tensor([tokens]),
        position_ids=torch.tensor([positions]),
        predicting=torch.tensor([i - 1 for i in at], dtype=torch.long),
        targets=torch.tensor([tokens[i] for i in at], dtype=torch.long),
        samples=[(s.id, s.learned_tokens) for s in samples],
    )
