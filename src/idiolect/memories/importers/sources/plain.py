"""A plain table: JSON Lines or CSV with named columns, from whatever can write one.

time       ISO 8601, or seconds or milliseconds since 1970; also: timestamp, date, datetime, created_at, when
who        missing: the person, writing a journal; also: author, sender, from, speaker, name, user
text       what was written; also: content, message, body
thread     missing: one for each file; also: chat, conversation, channel, room
id         missing: from time, who and text
reply_to   the id of what is answered
"""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from idiolect.errors import ExportFault
from idiolect.memories.importers.export import Export, Member
from idiolect.memories.importers.grouping import by_thread
from idiolect.memories.importers.json_stream import lines
from idiolect.memories.importers.message import Asked, Message, Person, Thread, Unreadable
from idiolect.memories.importers.naming import Naming
from idiolect.memories.importers.times import from_iso, from_number

_FILES = r".*\.(?:jsonl|ndjson|csv|tsv)"
_NAMES = {
    "time": ("time", "timestamp", "date", "datetime", "created_at", "when"),
    "who": ("who", "author", "sender", "from", "speaker", "name", "user"),
    "text": ("text", "content", "message", "body"),
    "thread": ("thread", "chat", "conversation", "channel", "room"),
    "id": ("id",),
    "reply_to": ("reply_to",),
}
_ME = Person("me", "", me=True)
_LARGEST_FIELD = 16_000_000


def found(export: Export) -> bool:
    return any(_columns(_first(export, m), Asked()).get("text") for m in export.matching(_FILES))


def read(export: Export, asked: Asked) -> Iterator[Message | Unreadable]:
    """Yield the rows of each table. Raises ExportFault naming a table without a column for the text."""
    for member in export.matching(_FILES):
        row = _first(export, member)
        columns = _columns(row, asked)
        if "text" not in columns:
            raise ExportFault(
                f"{member.name} has no column called text, but: {', '.join(map(str, row)) or 'none'}.",
                "Say which one it is, as in --column text=body.",
            )
        messages = _Table(member, columns, asked).messages()
        yield from by_thread(messages) if "thread" in columns else messages


def _first(export: Export, member: Member) -> Mapping[str, Any]:
    """Return the first row, or what stands above a CSV's first row."""
    head = export.head(member).decode("utf-8-sig", "replace")
    try:
        if _is_csv(member):
            rows = csv.reader(io.StringIO(head, newline=""), delimiter=_delimiter(member, head))
            return dict.fromkeys(next(rows, []))
        row = msgspec.json.decode(head.strip().split("\n", 1)[0])
    except (csv.Error, msgspec.MsgspecError, ValueError, RecursionError):
        return {}
    return row if isinstance(row, dict) else {}


def _columns(row: Mapping[str, Any], asked: Asked) -> dict[str, str]:
    """Say which column is what: as was asked, else by name."""
    called = {str(name).strip().casefold(): str(name) for name in row}
    found = {what: next((called[n] for n in names if n in called), "") for what, names in _NAMES.items()}
    return {what: name for what, name in (found | dict(asked.columns)).items() if name in row}


def _is_csv(member: Member) -> bool:
    return member.name.lower().endswith((".csv", ".tsv"))


def _delimiter(member: Member, head: str) -> str:
    if member.name.lower().endswith(".tsv"):
        return "\t"
    first = head.split("\n", 1)[0]
    return max(",;\t", key=first.count)


class _Table:
    """Reads the rows of one table."""

    def __init__(self, member: Member, columns: Mapping[str, str], asked: Asked) -> None:
        self._member = member
        self._columns = columns
        self._asked = asked
        self._people: dict[str, Person] = {}
        self._threads: dict[str, Thread] = {}
        self._names = Naming()

    def messages(self) -> Iterator[Message | Unreadable]:
        for number, row in self._rows():
            if isinstance(row, Unreadable):
                yield row
            elif not isinstance(row, dict):
                yield Unreadable(f"{self._member.name}, row {number}", "not a JSON object")
            else:
                yield self._message(row)

    def _rows(self) -> Iterator[tuple[int, Any]]:
        with self._member.open() as file:
            if not _is_csv(self._member):
                for found in lines(file, self._member.name, object):
                    yield (0, found) if isinstance(found, Unreadable) else found
                return
            csv.field_size_limit(min(_LARGEST_FIELD, sys.maxsize))
            with io.TextIOWrapper(file, "utf-8-sig", "replace", newline="") as text:
                delimiter = _delimiter(self._member, text.readline())
                text.seek(0)
                rows = csv.DictReader(text, delimiter=delimiter)
                try:
                    yield from enumerate(rows, start=2)
                except csv.Error as error:
                    yield 0, Unreadable(f"{self._member.name}, line {rows.line_num}", str(error))

    def _message(self, row: Mapping[str, Any]) -> Message:
        value = {what: row.get(column) for what, column in self._columns.items()}
        text = value["text"].strip() if isinstance(value["text"], str) else ""
        when = from_iso(value.get("time"), self._asked.zone)
        if when is None:
            when = from_number(value.get("time")) or from_number(value.get("time"), 1000)
        who = self._who(value.get("who"))
        thread = self._thread(value.get("thread"))
        name = value.get("id")
        identity = str(name) if name not in (None, "") else self._names.name(str(value.get("time")), who.id, text)
        reply = value.get("reply_to")
        return Message(
            thread,
            identity,
            when,
            who,
            text,
            "said" if text else "empty",
            "" if reply is None else str(reply),
        )

    def _who(self, name: Any) -> Person:
        if "who" not in self._columns:
            return _ME
        called = str(name).strip() if name is not None else ""
        return self._people.setdefault(called, Person(called, called))

    def _thread(self, name: Any) -> Thread:
        if "who" not in self._columns:
            key = "" if name is None else str(name)
            return self._threads.setdefault(key, Thread(key, key, "journal", alone=True))
        key = self._member.stem if name is None else str(name)
        return self._threads.setdefault(key, Thread(key, key))
