"""WeChat and QQ: the CSV that WeClone reads, and that programs which save these chats write for it.

Columns: id, MsgSvrID, type_name, is_sender, talker, room_name, msg, src, CreateTime; a file or some for each contact.
Older ones have `content` with JSON in it instead of `msg`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from idiolect.memories.importers.dates import instant
from idiolect.memories.importers.export import Export, Member
from idiolect.memories.importers.grouping import by_thread
from idiolect.memories.importers.message import Asked, Kind, Message, Person, Remark, Thread, Unreadable
from idiolect.memories.importers.naming import Naming
from idiolect.memories.importers.tables import Row, columns_of, rows_of

_FILES = r".*\.csv"
COLUMNS = frozenset({"type_name", "is_sender", "talker", "createtime"})
_WORDS = frozenset({"文本", "文字", "text", "文本消息", "引用回复", "quote", "1", ""})
_SYSTEM = frozenset({"系统通知", "系统消息", "system", "10000"})
_RECALLED = re.compile(r"撤回了一条消息|recalled a message")
#: Long chats come in several files: Anna_0_5000.csv, Anna_5000_10000.csv.
_PART = re.compile(r"_\d+_\d+$")


def found(export: Export) -> bool:
    return bool(_members(export))


def _members(export: Export) -> list[Member]:
    return [m for m in export.matching(_FILES) if {c.casefold() for c in columns_of(export, m)} >= COLUMNS]


def read(export: Export, asked: Asked) -> Iterator[Message | Unreadable | Remark]:
    yield from by_thread(message for member in _members(export) for message in _messages(member, asked))


def _messages(member: Member, asked: Asked) -> Iterator[Message | Unreadable]:
    title = _PART.sub("", member.stem)
    names = Naming()
    people: dict[tuple[str, bool], Person] = {}
    for row in rows_of(member):
        if isinstance(row, Unreadable):
            yield row
            continue
        said = row[1]
        mine = (said.get("is_sender") or "").strip().casefold() in ("1", "true")
        talker = (said.get("talker") or "").strip()
        room = (said.get("room_name") or "").strip()
        key = ("me", True) if mine else (talker, False)
        who = people.setdefault(key, Person("me", "", me=True) if mine else Person(talker, talker, me=False))
        text, time = _text(said), said.get("CreateTime") or ""
        name = (said.get("MsgSvrID") or "").strip(" 0") or names.name(time, who.id, text)
        thread = Thread(room or title, room or title, group=bool(room))
        yield Message(thread, name, instant(time, asked.zone), who, text, _kind(said, text))


def _text(said: Row) -> str:
    text = (said.get("msg") or "").strip()
    if not text and (content := said.get("content")):
        try:
            inner = msgspec.json.decode(content)
        except (msgspec.MsgspecError, RecursionError):
            return content.strip()
        text = inner["msg"].strip() if isinstance(inner, dict) and isinstance(inner.get("msg"), str) else ""
    return text


def _kind(said: Row, text: str) -> Kind:
    kind = (said.get("type_name") or "").strip().casefold()
    if kind in _SYSTEM or _RECALLED.search(text):
        return "system"
    if kind not in _WORDS:
        return "media"
    return "said" if text else "empty"
