"""Open WebUI: its export of chats, an array of them, whose messages hang in a tree as ChatGPT's do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from idiolect.memories.importers.export import Export, Member
from idiolect.memories.importers.json_stream import records
from idiolect.memories.importers.message import Asked, Kind, Message, Person, Thread, Unreadable
from idiolect.memories.importers.times import from_number

_FILES = r".*\.json"
_ME = Person("user", "", me=True)
_MACHINE = Person("assistant", "Open WebUI", me=False)
_SYSTEM = Person("system", "system", me=False)


class _Chat(msgspec.Struct, gc=False):
    history: Any = None
    title: Any = None
    messages: Any = None


class _Record(msgspec.Struct, gc=False):
    chat: _Chat
    id: Any = None
    title: Any = None
    created_at: Any = None


def found(export: Export) -> bool:
    return bool(_members(export))


def _members(export: Export) -> list[Member]:
    return [
        m for m in export.matching(_FILES)
        if b'"chat"' in export.head(m) and export.holds(m, b'"history"', b'"childrenIds"')
    ]  # fmt: skip


def read(export: Export, _: Asked) -> Iterator[Message | Unreadable]:
    for member in _members(export):
        with member.open() as file:
            for batch in records(file, member.name, _Record):
                if isinstance(batch, Unreadable):
                    yield batch
                else:
                    for record in batch.records:
                        yield from _messages(record)


def _messages(record: _Record) -> Iterator[Message]:
    history = record.chat.history if isinstance(record.chat.history, dict) else {}
    held = history.get("messages")
    nodes = {n: m for n, m in (held if isinstance(held, dict) else {}).items() if isinstance(m, dict)}
    title = next((t for t in (record.title, record.chat.title) if isinstance(t, str)), "")
    thread = Thread(str(record.id or next(iter(nodes), "")), title, "request")
    when = from_number(record.created_at)
    way = _way(nodes, history.get("currentId"))
    for name in [*way, *(n for n in nodes if n not in set(way))]:
        node = nodes[name]
        when = from_number(node.get("timestamp")) or when
        role = node.get("role")
        who = _ME if role == "user" else _MACHINE if role == "assistant" else _SYSTEM
        text = node["content"].strip() if isinstance(node.get("content"), str) else ""
        kind: Kind = "system" if who is _SYSTEM else "empty" if not text else "said" if name in way else "branch"
        yield Message(thread, name, when, who, text, kind)


def _way(nodes: dict[str, dict[str, Any]], last: Any) -> list[str]:
    """Return the names of the messages from the first to the one that the chat ended on."""
    name = last if isinstance(last, str) and last in nodes else next(reversed(nodes), None)
    way: dict[str, None] = {}
    while isinstance(name, str) and name in nodes and name not in way:
        way[name] = None
        name = nodes[name].get("parentId")
    return list(reversed(way))
