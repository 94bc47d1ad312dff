"""One MetaHuman OS event: a JSON object of many shapes, all fields optional, becomes a Memory.

The shapes are listed in `_turns`.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec

from idiolect.memories.memory import Memory, Turn


def read_event(event: Any, source: str) -> Memory:
    """Turn a decoded event into a Memory. Raises ValueError where it is not one."""
    if not isinstance(event, dict):
        raise ValueError("not a JSON object")
    turns = _turns(event)
    if not turns:
        raise ValueError("no text in it")
    metadata = event.get("metadata")
    event_id = text_of(event.get("id")) or ""
    memory = Memory(
        source=source,
        type=text_of(event.get("type")) or "observation",
        turns=turns,
        timestamp=moment_of(event.get("timestamp")),
        tags=_strings(event.get("tags")),
        event_id=event_id,
    )
    if not metadata or not isinstance(metadata, dict):
        return memory
    return msgspec.structs.replace(
        memory,
        mode=text_of(metadata.get("cognitiveMode")),
        conversation=text_of(metadata.get("conversationId")) or text_of(metadata.get("sessionId")),
        rejects=_rejected(metadata, event_id),
    )


def text_of(value: Any) -> str | None:
    """Return a string without the space around it, or None for an empty one or another type."""
    return value.strip() or None if isinstance(value, str) else None


def moment_of(value: Any) -> datetime | None:
    """Read an ISO date; one without an offset counts as UTC, one that is not a date as none."""
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is UTC:
            return moment
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def _turns(event: dict[str, Any]) -> tuple[Turn, ...]:
    """Find who said what: messages, then pairs in the order in which MetaHuman OS looks for them, then monologue."""
    if messages := event.get("messages"):
        return _talk(messages)
    for said, answered in (("prompt", "response"), ("content", "response"), ("question", "answer")):
        if said not in event or answered not in event:
            continue
        if (prompt := text_of(event[said])) and (reply := text_of(event[answered])):
            return Turn("other", prompt), Turn("person", reply)
    alone = text_of(event.get("observation")) or text_of(event.get("content"))
    return (Turn("person", alone),) if alone else ()


def _talk(messages: Any) -> tuple[Turn, ...]:
    """Join consecutive messages of one speaker; MetaHuman OS' assistant speaks as the person."""
    turns: list[Turn] = []
    for message in messages if isinstance(messages, list) else []:
        text = text_of(message.get("content")) if isinstance(message, dict) else None
        if text is None or message.get("role") not in ("user", "assistant"):
            continue
        turn = Turn("person" if message["role"] == "assistant" else "other", text)
        if turns and turns[-1].speaker == turn.speaker:
            turns[-1] = Turn(turn.speaker, f"{turns[-1].text}\n{text}")
        else:
            turns.append(turn)
    return tuple(turns)


def _rejected(metadata: dict[str, Any], event_id: str) -> str | None:
    """Name the event that a thumb down is meant for: the feedback's target, or else the event that bears it."""
    if metadata.get("reinforcementSignal") != -1:
        return None
    return text_of(metadata.get("targetId")) or event_id or None


def _strings(value: Any) -> tuple[str, ...]:
    return tuple([v for v in value if isinstance(v, str)]) if isinstance(value, list) else ()
