r"""Telegram Desktop: result.json, of one chat or of the whole account.

Written by tdesktop's export_output_json.cpp: control characters as \xNN, which is no JSON; `text` as a string or as
a list of pieces; dates by the clock of the computer that exported, but also as seconds since 1970.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from idiolect.memories.importers.export import HEAD_BYTES, Export, Member
from idiolect.memories.importers.json_stream import lenient, records
from idiolect.memories.importers.message import Asked, Kind, Message, Person, Thread, Unreadable
from idiolect.memories.importers.times import from_iso, from_number

_FILES = r".*\.json"
#: A file that begins with hundreds of contacts says only below them what it is: so far is looked.
_LOOKED = 4 << 20
_OWNER = re.compile(rb'"personal_information"\s*:\s*\{[^{}]*?"user_id"\s*:\s*"?(\d+)')
_ABOUT = re.compile(rb'\s*\{\s*"about"\s*:')
_TWO = ("personal_chat", "bot_chat", "saved_messages")
_UNKNOWN = Person("", "", me=False)
#: Pieces of a text that repeat somebody else's words.
_QUOTED = frozenset({"blockquote"})


class _Chat(msgspec.Struct, gc=False):
    id: Any = None
    name: Any = None
    type: Any = None


class _Said(msgspec.Struct, gc=False):
    id: Any = None
    type: Any = None
    date: Any = None
    date_unixtime: Any = None
    sender: Any = msgspec.field(name="from", default=None)
    from_id: Any = None
    text: Any = None
    reply_to_message_id: Any = None
    reply_to_peer_id: Any = None
    forwarded_from: Any = msgspec.UNSET
    saved_from: Any = msgspec.UNSET
    via_bot: Any = None


def found(export: Export) -> bool:
    return any(_beginning(export, m) for m in export.matching(_FILES))


def _beginning(export: Export, member: Member) -> bytes:
    """Return so much of a file as tells that it is Telegram's; nothing of any other."""
    head = export.head(member)
    if _is_telegram(head):
        return head
    if len(head) < HEAD_BYTES or not _ABOUT.match(head):
        return b""
    with member.open() as file:
        more = file.read(_LOOKED)
    return more if _is_telegram(more) else b""


def _is_telegram(head: bytes) -> bool:
    return (
        (b'"date_unixtime"' in head and b'"from_id"' in head)
        or (b'"personal_information"' in head and b'"about"' in head and b'"bio"' in head)
        or (b'"personal_information"' in head and _ABOUT.match(head) is not None)
        or (
            b'"messages"' in head
            and re.search(rb'"type"\s*:\s*"(?:personal_chat|private_|public_|saved_messages|bot_chat)', head)
            is not None
        )
    )


def read(export: Export, asked: Asked) -> Iterator[Message | Unreadable]:
    for member in export.matching(_FILES):
        head = _beginning(export, member)
        if not head:
            continue
        owner = _OWNER.search(head)
        reader = _Reader(f"user{owner[1].decode()}" if owner else None, asked)
        with member.open() as file:
            before, thread = b"", Thread("")
            for batch in records(file, member.name, _Said, "messages"):
                if isinstance(batch, Unreadable):
                    yield batch
                    continue
                if batch.head is not before:
                    before, thread = batch.head, _thread(batch.head)
                for said in batch.records:
                    yield reader.message(thread, said)


def _thread(head: bytes) -> Thread:
    try:
        chat = lenient(head, _Chat)
    except (ValueError, RecursionError):
        chat = _Chat()
    kind = chat.type if isinstance(chat.type, str) else ""
    title = chat.name if isinstance(chat.name, str) else ""
    return Thread(
        str(chat.id if chat.id is not None else title),
        title,
        "observation" if kind == "saved_messages" else "chat",
        group=bool(kind) and kind not in _TWO,
        alone=kind == "saved_messages",
    )


class _Reader:
    """Remembers who is who, so that each person exists once."""

    def __init__(self, owner: str | None, asked: Asked) -> None:
        self._owner = owner
        self._asked = asked
        self._people: dict[tuple[Any, Any], Person] = {}

    def message(self, thread: Thread, said: _Said) -> Message:
        text = _text(said.text)
        # What is answered may be of another chat, where the same number is another message.
        reply = said.reply_to_message_id if said.reply_to_peer_id is None else None
        when = from_number(said.date_unixtime)
        return Message(
            thread,
            str(said.id),
            when if when is not None else from_iso(said.date, self._asked.zone),
            self._who(said),
            text,
            self._kind(said, text),
            "" if reply is None else str(reply),
        )

    def _who(self, said: _Said) -> Person:
        try:
            return self._people[said.from_id, said.sender]
        except (KeyError, TypeError):
            pass
        identity = said.from_id if isinstance(said.from_id, str) else ""
        name = said.sender if isinstance(said.sender, str) else ""
        if not identity and not name:
            return _UNKNOWN
        me = identity == self._owner if self._owner else None
        person = Person(identity or name, name or "Deleted Account", me)
        if isinstance(said.from_id, str | None) and isinstance(said.sender, str | None):
            self._people[said.from_id, said.sender] = person
        return person

    def _kind(self, said: _Said, text: str) -> Kind:
        if said.type != "message":
            return "system"
        if said.forwarded_from is not msgspec.UNSET or said.saved_from is not msgspec.UNSET:
            return "forwarded"
        if said.via_bot:
            return "bot"
        if isinstance(said.text, list) and _is_command(said.text):
            return "tool"
        return "said" if text else "media"


def _is_command(pieces: list[Any]) -> bool:
    """Tell whether a text is a command to a bot, and nothing else."""
    kinds = {p.get("type") if isinstance(p, dict) else "" for p in pieces if not isinstance(p, str) or p.strip()}
    return kinds == {"bot_command"}


def _text(text: Any) -> str:
    """Join the pieces of a text; quoted ones become lines that begin with a >."""
    if isinstance(text, str):
        return text.strip()
    if not isinstance(text, list):
        return ""
    return "".join(_piece(p) for p in text).strip()


def _piece(piece: Any) -> str:
    if isinstance(piece, str):
        return piece
    if not isinstance(piece, Mapping) or not isinstance(piece.get("text"), str):
        return ""
    words: str = piece["text"]
    kind = piece.get("type")
    if kind in _QUOTED:
        return "".join(f"> {line}\n" for line in words.splitlines())
    return f"```\n{words}\n```" if kind == "pre" else words
