"""What a person says of a model's answer, as a MetaHuman OS event: approved, rejected, or how they would have said it.

An answer that the person approved, or their own words instead, is a conversation like any other, and is learned from.
A rejected one is feedback (`reinforcementSignal` -1, MetaHuman OS, packages/core/src/api/handlers/feedback.ts) that
points to the memory in which this answer was approved before, if it ever was: neither is learned from.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from idiolect.memories.memory import Memory

if TYPE_CHECKING:
    from idiolect.config import Mode

#: What MetaHuman OS tags a thumb up or down with, beside `feedback`, which is also a word of the person's own.
_TAGS = re.compile(r"training-data$|feedback-")

Opinion = Literal["approved", "own words", "rejected"]


class Answered(msgspec.Struct, frozen=True, kw_only=True):
    """An answer of a model to what was last said to it; `model` is the run's label."""

    prompt: str
    answer: str
    mode: Mode
    model: str


def event_id(answered: Answered, opinion: Opinion) -> str:
    """Name an opinion by what it is about, so that the same one is the same memory, and the contrary finds it."""
    text = "\0".join((opinion, answered.prompt, answered.answer, answered.mode))
    return f"evt-{hashlib.blake2b(text.encode('utf-8', 'surrogatepass'), digest_size=8).hexdigest()}"


def feedback_event(
    answered: Answered, opinion: Opinion, own_words: str = "", at: datetime | None = None
) -> Mapping[str, Any]:
    """Return the event; `own_words` is what the person would have said."""
    about: dict[str, Any] = {
        "cognitiveMode": answered.mode,
        "model": answered.model,
        "source": "idiolect",
        "feedbackType": opinion,
        "targetType": "response",
    }
    if opinion == "rejected":
        kind, tags = "observation", ["feedback", "training-data", "feedback-response"]
        about |= {"reinforcementSignal": -1, "targetId": event_id(answered, "approved")}
    else:
        kind, tags = "conversation", ["conversation", opinion.replace(" ", "-")]
        about |= {"reinforcementSignal": 1, "isTrainingData": True}
    return {
        "id": event_id(answered, opinion),
        "timestamp": (at or datetime.now(UTC)).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "type": kind,
        "content": answered.prompt,
        "response": own_words or answered.answer,
        "entities": [],
        "tags": tags,
        "importance": 0.5,
        "links": [],
        "metadata": about,
    }


def is_feedback(memory: Memory) -> bool:
    """Tell an opinion about another memory from a memory: nothing of it is learned."""
    return "feedback" in memory.tags and bool(memory.rejects or any(_TAGS.match(tag) for tag in memory.tags))
