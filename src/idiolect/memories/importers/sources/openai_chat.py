"""Conversations in the form of OpenAI's chat: JSON Lines, each line with `messages` of a role and a content.

Many tools write it, those that fine-tune above all; ShareGPT's form, `conversations` of `from` and `value`, is the same
thing under other names. Seldom does a line have an id or a date: then a conversation is known by how it begins.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import msgspec

from idiolect.memories.importers.dates import instant
from idiolect.memories.importers.export import Export, Member
from idiolect.memories.importers.json_stream import lines
from idiolect.memories.importers.message import Asked, Kind, Message, Person, Thread, Unreadable

_FILES = r".*\.(?:jsonl|ndjson)"
_LISTS = ("messages", "conversations", "conversation")
_ME = Person("user", "", me=True)
_MACHINE = Person("assistant", "assistant", me=False)
_OTHER = Person("system", "system", me=False)
_ROLES: dict[str, tuple[Person, Kind]] = {
    "user": (_ME, "said"), "human": (_ME, "said"), "assistant": (_MACHINE, "said"), "gpt": (_MACHINE, "said"),
    "model": (_MACHINE, "said"), "tool": (_OTHER, "tool"), "function": (_OTHER, "tool"),
}  # fmt: skip
_TIMES = ("created_at", "create_time", "created", "timestamp", "time", "date")


def found(export: Export) -> bool:
    return bool(_members(export))


def _members(export: Export) -> list[Member]:
    return [m for m in export.matching(_FILES) if _is_chat(export.head(m))]


def _is_chat(head: bytes) -> bool:
    """Tell whether the first line, as far as it goes, has a list of messages with roles."""
    first = head.lstrip(b"\xef\xbb\xbf \r\n").split(b"\n", 1)[0]
    listed = any(b'"%b"' % name.encode() in first for name in _LISTS)
    told = (b'"role"' in first and b'"content"' in first) or (b'"from"' in first and b'"value"' in first)
    return first.startswith(b"{") and listed and told and b"[" in first


def read(export: Export, asked: Asked) -> Iterator[Message | Unreadable]:
    for member in _members(export):
        seen: set[str] = set()
        with member.open() as file:
            for line in lines(file, member.name, object):
                if isinstance(line, Unreadable):
                    yield line
                elif isinstance(line[1], dict) and (said := _list(line[1])):
                    yield from _messages(line[1], said, seen, asked)
                else:
                    yield Unreadable(f"{member.name}, line {line[0]}", "no list of messages")


def _list(line: dict[str, Any]) -> list[Any]:
    return next((line[name] for name in _LISTS if isinstance(line.get(name), list)), [])


def _messages(line: dict[str, Any], said: list[Any], seen: set[str], asked: Asked) -> Iterator[Message]:
    begins = msgspec.json.encode(said[:2])
    named = next((line[n] for n in ("conversation_id", "id", "uuid") if isinstance(line.get(n), str)), "")
    key = named or hashlib.blake2b(begins, digest_size=8).hexdigest()
    while key in seen:
        key += "'"
    seen.add(key)
    title = line["title"] if isinstance(line.get("title"), str) else ""
    thread = Thread(key, title, "request")
    when = _when(line, asked)
    for number, one in enumerate(said):
        if not isinstance(one, dict):
            continue
        role = str(one.get("role", one.get("from"))).casefold()
        who, kind = _ROLES.get(role, (_OTHER, "system"))
        text = _text(one.get("content", one.get("value")))
        later = _when(one, asked)
        when = when if later is None else later
        yield Message(thread, str(number), when, who, text, kind if text or kind != "said" else "empty")


def _when(line: dict[str, Any], asked: Asked) -> float | None:
    return next((w for name in _TIMES if (w := instant(line.get(name), asked.zone)) is not None), None)


def _text(content: Any) -> str:
    """Return the words of a content, which is a string or a list of parts."""
    if isinstance(content, str):
        return content.strip()
    parts = content if isinstance(content, list) else []
    return "\n".join(p["text"] for p in parts if isinstance(p, dict) and isinstance(p.get("text"), str)).strip()
