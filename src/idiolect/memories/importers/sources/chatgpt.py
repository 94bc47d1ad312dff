"""ChatGPT: conversations.json, or conversations-000.json and so on, whose messages hang in a tree.

Extensions of browsers write one conversation a file, in the same form, under its title.

An answer that was asked for anew, or a message that was edited, begins a new branch; the conversation is what lies on
the way from `current_node` up to the root. There is no official description: the form is known from exports.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import msgspec

from idiolect.memories.importers.export import Export, Member
from idiolect.memories.importers.json_stream import lenient, records
from idiolect.memories.importers.message import Asked, Kind, Message, Person, Thread, Unreadable
from idiolect.memories.importers.times import from_number

_FILES = r"conversations(?:-\d+)?\.json"
_ONE = r".*\.json"
#: What stands for sources, and for cards and pictures, in an answer: between signs for private use, or in brackets.
_ENTITY = re.compile(r'\ue200entity\ue202\[(?:"[^"\ue201]{0,100}",\s?)"([^"\ue201]{0,200})"[^\ue201]{0,500}\ue201')
_CITATION = re.compile(
    r"[^\S\n]?(?:\ue200[^\ue200\ue201]{0,2000}\ue201|【\d[^【】\n]{0,200}】|:contentReference\[[^\]\n]{0,80}\]\{[^}\n]{0,80}\}"
    r"|\b(?:file)?cite(?:turn\d+(?:search|view|news|file|fetch|image)\d+)+)"
)
_PRIVATE = re.compile(r"[\ue200-\ue206]")
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
    return [m for m in export.matching(_ONE) if _is_whole(export, m) or _is_one(export, m)]


def _is_whole(export: Export, member: Member) -> bool:
    if not re.fullmatch(_FILES, member.name.rpartition("/")[2]):
        return False
    return export.head(member).lstrip().startswith(b"[") and export.holds(member, b'"mapping"')


def _is_one(export: Export, member: Member) -> bool:
    head = export.head(member)
    return head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{") and b'"mapping"' in head and b'"children"' in head


def read(export: Export, _: Asked) -> Iterator[Message | Unreadable]:
    """Yield the messages of each conversation, oldest first, and those on its other branches after them."""
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
    if role == "assistant":
        text = without_citations(text)
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


def without_citations(text: str) -> str:
    """Return an answer without the marks of its sources, which the page shows as links."""
    if text.isascii() and "citeturn" not in text and ":contentReference[" not in text:
        return text
    if "\ue200" in text:
        text = _ENTITY.sub(r"\1", text)
    if "\ue200" in text or "【" in text or "citeturn" in text or ":contentReference[" in text:
        text = _CITATION.sub("", text)
    return _PRIVATE.sub("", text).strip()
