"""MetaHuman OS event files: any depth below memory/episodic, one JSON object a file.

The shapes a file may have are listed in `_turns`; everything else about an event is optional.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from idiolect.memories.memory import Memory, Turn


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A memory file that could not be read, and why."""

    source: str
    reason: str


def read_memories(folder: Path) -> Iterator[Memory | Unreadable]:
    """Read every *.json below `folder`, in the order of their paths; a bad file is reported, never fatal."""
    for path in _json_files(folder):
        source = path.relative_to(folder).as_posix()
        try:
            yield read_event(msgspec.json.decode(path.read_bytes()), source)
        except OSError as error:
            yield Unreadable(source, error.strerror or "cannot be opened")
        except (msgspec.DecodeError, ValueError) as error:
            reason = "the file is empty" if path.stat().st_size == 0 else str(error)
            yield Unreadable(source, reason)


def read_event(event: Any, source: str) -> Memory:
    """Turn a decoded event into a Memory. Raises ValueError where it is not one."""
    if not isinstance(event, dict):
        raise ValueError("not a JSON object")
    turns = _turns(event)
    if not turns:
        raise ValueError("no text in it")
    metadata = event.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    return Memory(
        source=source,
        type=_text(event.get("type")) or "observation",
        turns=turns,
        timestamp=_moment(event.get("timestamp")),
        tags=_strings(event.get("tags")),
        mode=_text(metadata.get("cognitiveMode")),
        conversation=_text(metadata.get("conversationId")) or _text(metadata.get("sessionId")),
    )


def _json_files(folder: Path) -> Iterator[Path]:
    for parent, folders, files in os.walk(folder):
        folders.sort()
        for name in sorted(files):
            if name.endswith(".json"):
                yield Path(parent, name)


def _turns(event: dict[str, Any]) -> tuple[Turn, ...]:
    """Find who said what: messages, then pairs in the order in which MetaHuman OS looks for them, then monologue."""
    if messages := event.get("messages"):
        return _talk(messages)
    for said, answered in (("prompt", "response"), ("content", "response"), ("question", "answer")):
        if (prompt := _text(event.get(said))) and (reply := _text(event.get(answered))):
            return Turn("other", prompt), Turn("person", reply)
    alone = _text(event.get("observation")) or _text(event.get("content"))
    return (Turn("person", alone),) if alone else ()


def _talk(messages: Any) -> tuple[Turn, ...]:
    """Join consecutive messages of one speaker; MetaHuman OS' assistant speaks as the person."""
    turns: list[Turn] = []
    for message in messages if isinstance(messages, list) else []:
        text = _text(message.get("content")) if isinstance(message, dict) else None
        if text is None or message.get("role") not in ("user", "assistant"):
            continue
        speaker = "person" if message["role"] == "assistant" else "other"
        if turns and turns[-1].speaker == speaker:
            turns[-1] = Turn(turns[-1].speaker, f"{turns[-1].text}\n{text}")
        else:
            turns.append(Turn("person" if speaker == "person" else "other", text))
    return tuple(turns)


def _text(value: Any) -> str | None:
    return value.strip() or None if isinstance(value, str) else None


def _strings(value: Any) -> tuple[str, ...]:
    return tuple(v for v in value if isinstance(v, str)) if isinstance(value, list) else ()


def _moment(value: Any) -> datetime | None:
    """Read an ISO date; one without an offset counts as UTC, one that is not a date as none."""
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None
