"""What is trained on: a text as the model sees it, and which of its characters are learned."""

from __future__ import annotations

from typing import Literal

import msgspec

from idiolect.config import Mode

Split = Literal["train", "held_out"]


class TrainingText(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the data set.

    `learned` has [start, end) character positions: the person's replies, each with the end of its turn.
    """

    id: str
    split: Split
    mode: Mode
    text: str
    learned: tuple[tuple[int, int], ...]
