"""Khoj: its conversations as JSON, each with a log `chat` of who said what (`you` is the person)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from idiolect.memories.importers.dates import instant
from idiolect.memories.importers.export import Export, Member
from idiolect.memories.importers.json_stream import Batch, records
from idiolect.memories.importers.message import Asked, Message, Person, Thread, Unreadable

_FILES = r".*\.json"
_ME = Person("you", "", me=True)
_MACHINE = Person("khoj", "Khoj", me=False)


def found(export: Export) -> bool:
    return bool(_members(export))


def _members(export: Export) -> list[Member]:
    return [
        m for m in export.matching(_FILES)
        if b'"chat"' in export.head(m) and b'"by"' in export.head(m) and export.holds(m, b'"message"')
    ]  # fmt: skip


def read(export: Export, asked: Asked) -> Iterator[Message | Unreadable]:
    for member in _members(export):
        thread = Thread("", type="request")
        head: bytes | None = None
        number = 0
        with member.open() as file:
            for batch in records(file, member.name, dict[str, Any], "chat"):
                if isinstance(batch, Unreadable):
                    yield batch
                    continue
                if batch.head is not head:
                    head, number = batch.head, 0
                    thread = Thread(_key(batch, member), type="request")
                for said in batch.records:
                    yield _message(thread, number, said, asked)
                    number += 1


def _key(batch: Batch[dict[str, Any]], member: Member) -> str:
    """Name a conversation by when it began, since its log has no name."""
    first = batch.records[0]
    return f"{member.stem} {first.get('created') or first.get('message')}"[:200]


def _message(thread: Thread, number: int, said: dict[str, Any], asked: Asked) -> Message:
    text = said["message"].strip() if isinstance(said.get("message"), str) else ""
    who = _ME if said.get("by") == "you" else _MACHINE
    name = str(said.get("turnId") or number) + ("" if who is _ME else " answer")
    return Message(thread, name, instant(said.get("created"), asked.zone), who, text, "said" if text else "media")
