"""Claude: conversations.json, an array of conversations with their messages in order.

No official description exists; newer exports may tell branches apart by parent_message_uuid, of which the newest one
is followed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from idiolect.memories.importers.export import Export, Member
from idiolect.memories.importers.json_stream import lenient, records
from idiolect.memories.importers.message import Asked, Kind, Message, Person, Thread, Unreadable
from idiolect.memories.importers.times import from_iso

_FILES = r"conversations(?:-\d+)?\.json"
_ONE = r".*\.json"
_SPOKEN = ("text", "voice_note")
_ME = Person("human", "", me=True)
_MACHINE = Person("assistant", "Claude", me=False)


class _Said(msgspec.Struct, gc=False):
    uuid: Any = None
    text: Any = None
    content: Any = None
    sender: Any = None
    created_at: Any = None
    attachments: Any = None
    files: Any = None
    parent_message_uuid: Any = None


class _Conversation(msgspec.Struct, gc=False):
    chat_messages: list[_Said]
    uuid: Any = None
    name: Any = None
    created_at: Any = None


def found(export: Export) -> bool:
    return bool(_members(export))


def _members(export: Export) -> list[Member]:
    return [m for m in export.matching(_FILES) if export.holds(m, b'"chat_messages"')] or [
        m for m in export.matching(_ONE) if _is_one(export, m)
    ]


def _is_one(export: Export, member: Member) -> bool:
    """Tell whether a file is one conversation, as the page is given it and extensions of browsers save it."""
    head = export.head(member).lstrip(b"\xef\xbb\xbf \t\r\n")
    return head.startswith(b"{") and b'"uuid"' in head and export.holds(member, b'"chat_messages"')


def read(export: Export, _: Asked) -> Iterator[Message | Unreadable]:
    for member in _members(export):
        if _is_one(export, member):
            try:
                yield from _messages(lenient(export.whole(member), _Conversation))
            except (ValueError, RecursionError) as fault:
                yield Unreadable(member.name, str(fault))
            continue
        with member.open() as file:
            for batch in records(file, member.name, _Conversation):
                if isinstance(batch, Unreadable):
                    yield batch
                else:
                    for conversation in batch.records:
                        yield from _messages(conversation)


def _messages(conversation: _Conversation) -> Iterator[Message]:
    title = conversation.name if isinstance(conversation.name, str) else ""
    thread = Thread(str(conversation.uuid or conversation.created_at or ""), title, "request")
    when = from_iso(conversation.created_at)
    given_up = _given_up(conversation.chat_messages)
    for number, said in enumerate(conversation.chat_messages):
        when = from_iso(said.created_at) or when
        text = _text(said)
        who = _ME if said.sender == "human" else _MACHINE
        name = said.uuid if isinstance(said.uuid, str) else str(number)
        yield Message(thread, name, when, who, text, _kind(said, text, name in given_up))


def _kind(said: _Said, text: str, given_up: bool) -> Kind:
    if said.sender not in ("human", "assistant"):
        return "system"
    if not text:
        return "media" if said.attachments or said.files else "empty"
    return "branch" if given_up else "said"


def _text(said: _Said) -> str:
    """Return the blocks of a message that have words.

    `text`, where words of the program stand for blocks of other kinds, only if there are none of these.
    """
    blocks = [b for b in said.content if isinstance(b, dict)] if isinstance(said.content, list) else []
    spoken = [b["text"] for b in blocks if b.get("type") in _SPOKEN and isinstance(b.get("text"), str)]
    words = "\n".join(spoken).strip()
    if words or any(b.get("type") not in _SPOKEN for b in blocks):
        return words
    return said.text.strip() if isinstance(said.text, str) else ""


def _given_up(messages: list[_Said]) -> set[str]:
    """Return the messages that do not lie on the way from the last one to its root, where ways are stated."""
    parents = {m.uuid: m.parent_message_uuid for m in messages if isinstance(m.uuid, str)}
    if not any(isinstance(p, str) and p in parents for p in parents.values()):
        return set()
    way: set[str] = set()
    name = messages[-1].uuid
    while isinstance(name, str) and name in parents and name not in way:
        way.add(name)
        name = parents[name]
    return set(parents) - way
