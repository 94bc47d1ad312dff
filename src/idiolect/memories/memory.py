"""One memory: something that the person said, and what it answered."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

import msgspec

# Structs and not dataclasses: a hundred thousand of them are made at a time, and a frozen dataclass costs five times
# as much to make.


class Turn(msgspec.Struct, frozen=True, gc=False):
    """One uttering; `person` is the one whose idiolect is learned, `other` whoever they talk to."""

    speaker: Literal["person", "other"]
    text: str


class Memory(msgspec.Struct, frozen=True, gc=False):
    """An event of a person's life, whatever the shape of its file."""

    source: str
    """Path below the profile, or below its memory/episodic. It names the memory: ids in the files can collide."""
    type: str
    turns: tuple[Turn, ...]
    timestamp: datetime | None = None
    tags: tuple[str, ...] = ()
    mode: str | None = None
    """The cognitive mode that the file itself states."""
    conversation: str | None = None
    """What ties memories of one talk together, where the file says it."""
    event_id: str = ""
    """What the file calls itself; feedback points to it, and several files may share it."""
    rejects: str | None = None
    """Of feedback that disapproves: the event_id that it points to, or its own."""
    asks: str = ""
    """Of a question that was put to the person: its id."""
    answers: str = ""
    """The id of the question that it answers, where the question itself is in another memory."""
    metadata: dict[str, Any] = {}
    """What the program that wrote the file noted beside it."""
