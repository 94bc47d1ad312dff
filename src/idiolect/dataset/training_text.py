"""What is trained on: a text as the model sees it, and which of its characters the model must produce."""

from __future__ import annotations

from typing import Literal

import msgspec

from idiolect.config import Mode

Split = Literal["train", "held_out"]


class TrainingText(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the data set.

    `learned` has [start, end) character positions: the person's replies, each with the end of its turn. What stands
    before one is, to the letter, what a server asks with.
    """

    id: str
    split: Split
    mode: Mode
    text: str
    learned: tuple[tuple[int, int], ...]

    @property
    def sample(self) -> str:
        """The id of the sample that this is one text of: a sample whose replies do not chain becomes several."""
        return sample_of(self.id)


def part_id(sample: str, number: int) -> str:
    """Return the id of a sample's nth text, from 1, where it has several."""
    return f"{sample}/{number}"


def sample_of(text_id: str) -> str:
    """Return the id of the sample that a text belongs to."""
    return text_id.partition("/")[0]
