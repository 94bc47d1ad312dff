"""Discord: the JSON files of DiscordChatExporter, a channel each, or the package that Discord itself sends.

Discord's own package has only the person's messages: nothing that they answer.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from idiolect.memories.importers.export import Export, Member
from idiolect.memories.importers.json_stream import lenient, records
from idiolect.memories.importers.message import Asked, Kind, Message, Person, Thread, Unreadable
from idiolect.memories.importers.times import from_iso, from_number, moment

_EXPORTER = re.compile(rb'"guild"\s*:\s*\{.*"channel"\s*:\s*\{', re.DOTALL)
#: Folders above are called as the person's language has it.
_PACKAGE = r"c?\d+/messages\.(?:json|csv)"
#: Emoji, mentions of people, roles and channels, commands, and moments; each with the space before it.
_MARKUP = re.compile(
    r"(?P<space>[ \t]?)(?:<a?(?P<emoji>:\w+:)\d+>|<(?:@[!&]?|#)(?P<id>\d+)>|</(?P<command>[\w -]+):\d+>"
    r"|<t:(?P<when>-?\d+)(?::\w)?>)"
)
_SAID = ("Default", "Reply", "ThreadStarterMessage")


class _Author(msgspec.Struct, gc=False):
    id: Any = None
    name: Any = None
    nickname: Any = None
    is_bot: Any = msgspec.field(name="isBot", default=None)


class _Message(msgspec.Struct, gc=False):
    id: Any = None
    type: Any = None
    timestamp: Any = None
    content: Any = None
    author: _Author | None = None
    reference: Any = None
    forwarded: Any = msgspec.field(name="forwardedMessage", default=None)
    mentions: Any = None


class _Channel(msgspec.Struct, gc=False):
    id: Any = None
    type: Any = None
    name: Any = None


class _Head(msgspec.Struct, gc=False):
    channel: _Channel | None = None


def found(export: Export) -> bool:
    return bool(_packed(export)) or any(_is_exporters(export, m) for m in export.matching(r".*\.json"))


def read(export: Export, _: Asked) -> Iterator[Message | Unreadable]:
    for member in _packed(export):
        yield from _own(export, member)
    for member in export.matching(r".*\.json"):
        if _is_exporters(export, member):
            yield from _channel(member)


def _packed(export: Export) -> list[Member]:
    """Return the person's messages in Discord's own package, known by the columns that it has."""
    return [m for m in export.matching(_PACKAGE) if b"Contents" in export.head(m) or export.head(m).strip() == b"[]"]


def _is_exporters(export: Export, member: Member) -> bool:
    return _EXPORTER.search(export.head(member)) is not None


def _channel(member: Member) -> Iterator[Message | Unreadable]:
    people: dict[Any, Person] = {}
    named: dict[str, str] = {}
    with member.open() as file:
        before, thread = b"", Thread(member.stem)
        for batch in records(file, member.name, _Message, "messages"):
            if isinstance(batch, Unreadable):
                yield batch
                continue
            if batch.head is not before:
                before, thread = batch.head, _thread(batch.head, member)
            for said in batch.records:
                yield _message(thread, said, people, named)


def _thread(head: bytes, member: Member) -> Thread:
    try:
        channel = lenient(head, _Head).channel or _Channel()
    except (ValueError, RecursionError):
        channel = _Channel()
    title = channel.name if isinstance(channel.name, str) else member.stem
    return Thread(str(channel.id or member.stem), title, group=channel.type != "DirectTextChat")


def _message(thread: Thread, said: _Message, people: dict[Any, Person], named: dict[str, str]) -> Message:
    text = said.content.strip() if isinstance(said.content, str) else ""
    reference = said.reference if isinstance(said.reference, dict) else {}
    reply = reference.get("messageId") if said.type == "Reply" else None
    author = said.author or _Author()
    key = str(author.id)
    if key not in people:
        name = next((n for n in (author.nickname, author.name) if isinstance(n, str) and n), key)
        handle = author.name if isinstance(author.name, str) else ""
        people[key] = Person(key, name, also=(handle,) if handle and handle != name else ())
        named[key] = name
    if "<" in text:
        for other in said.mentions if isinstance(said.mentions, list) else ():
            if isinstance(other, dict):
                named.setdefault(str(other.get("id")), str(other.get("nickname") or other.get("name") or ""))
        text = plain(text, named)
    kind: Kind = "said" if text else "media"
    if said.type not in _SAID:
        kind = "system"
    elif author.is_bot:
        kind = "bot"
    elif said.forwarded:
        kind = "forwarded"
    return Message(thread, str(said.id), from_iso(said.timestamp), people[key], text, kind, str(reply or ""))


def plain(text: str, named: Mapping[str, str]) -> str:
    """Return a text without Discord's markup: with names where they are known, else with nothing in their place."""

    def shown(found: re.Match[str]) -> str:
        word = found["emoji"] or ""
        if found["command"]:
            word = f"/{found['command']}"
        elif found["when"] and (when := from_number(found["when"])) is not None:
            word = f"{moment(when):%Y-%m-%d %H:%M}"
        elif named.get(found["id"]):
            word = f"@{named[found['id']]}"
        return found["space"] + word if word else ""

    return _MARKUP.sub(shown, text).strip()


class _Own(msgspec.Struct, gc=False):
    id: Any = msgspec.field(name="ID", default=None)
    timestamp: Any = msgspec.field(name="Timestamp", default=None)
    contents: Any = msgspec.field(name="Contents", default=None)


def _own(export: Export, member: Member) -> Iterator[Message | Unreadable]:
    """Yield the person's messages to one channel, oldest first, from Discord's own package."""
    channel = member.folder.rpartition("/")[2].lstrip("cC")
    thread = Thread(channel, _label(export, channel), alone=True)
    me = Person("me", "", me=True)
    found: list[_Own] = []
    try:
        for row in _own_rows(export, member):
            if isinstance(row, Unreadable):
                yield row
            else:
                found.append(row)
    except (ValueError, csv.Error) as fault:
        yield Unreadable(member.name, str(fault))
    for said in sorted(found, key=lambda s: (from_iso(s.timestamp) or 0.0, str(s.id))):
        text = plain(said.contents, {}) if isinstance(said.contents, str) else ""
        yield Message(thread, str(said.id), from_iso(said.timestamp), me, text, "said" if text else "media")


def _own_rows(export: Export, member: Member) -> Iterator[_Own | Unreadable]:
    if member.name.lower().endswith(".csv"):
        rows = csv.DictReader(io.StringIO(export.whole(member).decode("utf-8-sig", "replace"), newline=""))
        yield from (_Own(r.get("ID"), r.get("Timestamp"), r.get("Contents")) for r in rows)
        return
    with member.open() as file:
        for batch in records(file, member.name, _Own):
            if isinstance(batch, Unreadable):
                yield batch
            else:
                yield from batch.records


def _label(export: Export, channel: str) -> str:
    for index in export.matching(r"index\.json"):
        try:
            labels = lenient(export.whole(index), dict[str, Any])
        except (ValueError, RecursionError):
            continue
        for key in (channel, f"c{channel}"):
            if isinstance(labels.get(key), str):
                return str(labels[key])
    return ""
