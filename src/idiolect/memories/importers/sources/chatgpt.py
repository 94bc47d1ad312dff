"""ChatGPT: conversations.json, or conversations-000.json and so on, whose messages hang in a tree.

An answer that was asked for anew, or a message that was edited, begins a new branch; the conversation is what lies on
the way from `current_node` up to the root. There is no official description: the form is known from exports.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from idiolect.memories.importers.export import Export, Member
from idiolect.memories.importers.json_stream import records
from idiolect.memories.importers.message import Asked, Kind, Message, Person, Thread, Unreadable
from idiolect.memories.importers.times import from_number

_FILES = r"conversations(?:-\d+)?\.json"
_ME = Person("user", "", me=True)
_MACHINE = Person("assistant", "ChatGPT", me=False)
_OTHERS = {role: Person(role, role, me=False) for role in ("system", "tool")}


class _Author(msgspec.Struct, gc=False):
    role: Any = None


class _Content(msgspec.Struct, gc=False):
    content_type: Any = None
    parts: Any = None


class _Metadata(msgspec.Struct, gc=False):
    is_visually_hidden_from_conversation: Any = None
    is_user_system_message: Any = None


class _Said(msgspec.Struct, gc=False):
    id: Any = None
    author: _Author | None = None
    create_time: Any = None
    content: _Content | None = None
    weight: Any = None
    recipient: Any = None
    metadata: _Metadata | None = None


class _Node(msgspec.Struct, gc=False):
    message: _Said | None = None
    parent: Any = None


class _Conversation(msgspec.Struct, gc=False):
    mapping: dict[str, _Node]
    conversation_id: Any = None
    id: Any = None
    title: Any = None
    create_time: Any = None
    current_node: Any = None


def found(export: Export) -> bool:
    return bool(_members(export))


def _members(export: Export) -> list[Member]:
    return [m for m in export.matching(_FILES) if b'"mapping"' in export.head(m)]


def read(export: Export, _: Asked) -> Iterator[Message | Unreadable]:
    """Yield the messages of each conversation, oldest first, and those on its other branches after them."""
    for member in _members(export):
        with member.open() as file:
            for batch in records(file, member.name, _Conversation):
                if isinstance(batch, Unreadable):
                    yield batch
                else:
                    for conversation in batch.records:
                        yield from _messages(conversation)


def _messages(conversation: _Conversation) -> Iterator[Message]:
    key = conversation.conversation_id or conversation.id or next(iter(conversation.mapping), "")
    title = conversation.title if isinstance(conversation.title, str) else ""
    thread = Thread(str(key), title, "request")
    path = _path(conversation)
    on_it = set(path)
    when = from_number(conversation.create_time)
    for name in path:
        if said := conversation.mapping[name].message:
            when = from_number(said.create_time) or when
            yield _message(thread, name, said, when)
    if len(path) < len(conversation.mapping):
        for name, node in conversation.mapping.items():
            if node.message and name not in on_it:
                yield _message(thread, name, node.message, from_number(node.message.create_time) or when, "branch")


def _path(conversation: _Conversation) -> list[str]:
    """Return the names of the nodes from the root to the current one; where that is missing, to the newest leaf."""
    nodes = conversation.mapping
    name = conversation.current_node
    if not isinstance(name, str) or name not in nodes:
        name = _newest_leaf(nodes)
    path: dict[str, None] = {}
    while isinstance(name, str) and (node := nodes.get(name)) and name not in path:
        path[name] = None
        name = node.parent
    return list(reversed(path))


def _newest_leaf(nodes: dict[str, _Node]) -> str | None:
    inner = {node.parent for node in nodes.values() if isinstance(node.parent, str)}
    leaves = [name for name, node in nodes.items() if name not in inner and node.message]
    return max(leaves, key=lambda leaf: _created(nodes[leaf]), default=None)


def _created(node: _Node) -> float:
    return (from_number(node.message.create_time) if node.message else None) or 0.0


def _message(thread: Thread, name: str, said: _Said, when: float | None, kind: Kind | None = None) -> Message:
    text, rest = _text(said.content)
    role = said.author.role if said.author else None
    who = (
        _ME if role == "user" else _MACHINE if role == "assistant" else _OTHERS["tool" if role == "tool" else "system"]
    )
    identity = said.id if isinstance(said.id, str) else name
    return Message(thread, identity, when, who, text, _kind(said, role, text, rest, kind))


def _kind(said: _Said, role: Any, text: str, rest: bool, branch: Kind | None) -> Kind:
    content = said.content.content_type if said.content else None
    hidden = said.metadata and (
        said.metadata.is_visually_hidden_from_conversation or said.metadata.is_user_system_message
    )
    if role == "tool" or said.recipient not in ("all", None) or content not in ("text", "multimodal_text", None):
        return "hidden" if content == "user_editable_context" else "tool"
    if role not in ("user", "assistant"):
        return "system"
    if hidden or said.weight == 0:
        return "hidden"
    if not text:
        return "media" if rest else "empty"
    return branch or "said"


def _text(content: _Content | None) -> tuple[str, bool]:
    """Return the words of a message, and whether there was something else in it (an image, a recording)."""
    parts = content.parts if content else None
    if not isinstance(parts, list):
        return "", False
    if len(parts) == 1 and isinstance(parts[0], str):
        return parts[0].strip(), False
    words = [p for p in parts if isinstance(p, str)]
    spoken = [
        p["text"]
        for p in parts
        if isinstance(p, dict) and p.get("content_type") == "audio_transcription" and isinstance(p.get("text"), str)
    ]
    return "\n".join(words + spoken).strip(), len(words) + len(spoken) < len(parts)
