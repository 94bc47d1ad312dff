"""LM Studio: a file for each chat below ~/.lmstudio/conversations, `….conversation.json`, each message in versions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from idiolect.memories.importers.export import Export, Member
from idiolect.memories.importers.json_stream import lenient
from idiolect.memories.importers.message import Asked, Kind, Message, Person, Thread, Unreadable
from idiolect.memories.importers.times import from_number

_FILES = r".*\.json"
_ME = Person("user", "", me=True)
_MACHINE = Person("assistant", "LM Studio", me=False)
_SYSTEM = Person("system", "system", me=False)


def found(export: Export) -> bool:
    return bool(_members(export))


def _members(export: Export) -> list[Member]:
    return [
        m for m in export.matching(_FILES)
        if b'"versions"' in export.head(m) and export.holds(m, b'"messages"', b'"currentlySelected"')
    ]  # fmt: skip


def read(export: Export, _: Asked) -> Iterator[Message | Unreadable]:
    for member in _members(export):
        try:
            chat = lenient(export.whole(member), dict[str, Any])
        except (ValueError, RecursionError) as fault:
            yield Unreadable(member.name, str(fault))
            continue
        yield from _messages(member, chat)


def _messages(member: Member, chat: dict[str, Any]) -> Iterator[Message]:
    created = chat.get("createdAt")
    title = chat["name"] if isinstance(chat.get("name"), str) else ""
    thread = Thread(str(created or member.stem), title, "request")
    when = from_number(created, 1000)
    said = chat.get("messages")
    for number, one in enumerate(said if isinstance(said, list) else ()):
        versions = one.get("versions") if isinstance(one, dict) else None
        chosen = one.get("currentlySelected") if isinstance(one, dict) else None
        for place, version in enumerate(versions if isinstance(versions, list) else ()):
            if not isinstance(version, dict):
                continue
            role, text = version.get("role"), _text(version)
            who = _ME if role == "user" else _MACHINE if role == "assistant" else _SYSTEM
            given_up = isinstance(chosen, int) and place != chosen
            kind: Kind = "system" if who is _SYSTEM else "branch" if given_up else "said" if text else "empty"
            yield Message(thread, f"{number}.{place}", when, who, text, kind)


def _text(version: dict[str, Any]) -> str:
    """Return the words of a message: its own content, or that of the steps that made it, without what was thought."""
    steps = version.get("steps")
    blocks = [version] + [s for s in (steps if isinstance(steps, list) else []) if isinstance(s, dict)]
    texts = []
    for block in blocks:
        style = block.get("style")
        content = block.get("content")
        if block.get("type") == "contentBlock" and isinstance(style, dict) and style.get("type") == "thinking":
            continue
        texts += [
            c["text"]
            for c in (content if isinstance(content, list) else [])
            if isinstance(c, dict) and c.get("type") == "text" and isinstance(c.get("text"), str)
        ]
    return "\n".join(texts).strip()
