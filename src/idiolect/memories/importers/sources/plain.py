"""A plain table: JSON Lines or CSV with named columns, from whatever can write one.

time       ISO 8601, seconds or milliseconds since 1970, or a date as programs show it (`dates.py`)
clock      the time of day, if it has a column of its own
who        missing: the person, writing a journal, if no other column looks like one of senders; `role` marks them
who_id     what stays the same of somebody under all names
mine       whether it was sent by the person
text       what was written
thread     missing: one for each file
id         missing: from time, who and text
reply_to   the id of what is answered

What columns are called in common, `_NAMES` says; case, spaces and signs do not matter.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

import msgspec

from idiolect.errors import ExportFault
from idiolect.memories.importers.dates import Dates, instant, undecided
from idiolect.memories.importers.export import Export, Member
from idiolect.memories.importers.grouping import by_thread
from idiolect.memories.importers.identity import folded
from idiolect.memories.importers.json_stream import lines
from idiolect.memories.importers.message import Asked, Kind, Message, Person, Remark, Thread, Unreadable
from idiolect.memories.importers.naming import Naming
from idiolect.memories.importers.sources import linkedin, reddit, wechat
from idiolect.memories.importers.tables import columns_of, encoding_of, is_table, rows_of

_FILES = r".*\.(?:jsonl|ndjson|csv|tsv)"
_NAMES = {
    "time": "timestamp datetime date time createdat created when sentat datesent sentdate messagedate createtime sent",
    "who": "who author sender from speaker name user username sendername fromname authorname displayname nickname role",
    "who_id": "senderid authorid userid fromid",
    "mine": "isfromme fromme issender isoutgoing outgoing direction mine",
    "text": "text content message body messagebody messagetext contents msg",
    "thread": "thread chat conversation channel room chatsession conversationid threadid chatid chatname channelname",
    "id": "id messageid msgid uuid",
    "reply_to": "replyto replytoid inreplyto parentid",
}
_CALLED = {what: names.split() for what, names in _NAMES.items()}
_SIGNS = re.compile(r"[\W_]+")
_ME = Person("me", "", me=True)
#: What `mine` says where it says yes, or where `type` says the same of each row.
_YES = frozenset({"1", "true", "yes", "outgoing", "sent", "out", "sender"})
_NO = frozenset({"0", "false", "no", "incoming", "received", "in", "receiver", ""})
#: Who speaks in a conversation with a machine, as `role` says it.
_ROLES: dict[str, tuple[Person, Kind]] = {
    "user": (Person("user", "", me=True), "said"),
    "human": (Person("user", "", me=True), "said"),
    "assistant": (Person("assistant", "assistant", me=False), "said"),
    "model": (Person("assistant", "assistant", me=False), "said"),
    "ai": (Person("assistant", "assistant", me=False), "said"),
    "system": (Person("system", "system", me=False), "system"),
    "developer": (Person("system", "system", me=False), "system"),
    "tool": (Person("tool", "tool", me=False), "tool"),
    "function": (Person("tool", "tool", me=False), "tool"),
}
#: Columns by which the tables of other sources are known; the first are those of Discord's package.
_OTHERS = (frozenset({"id", "timestamp", "contents", "attachments"}), linkedin.COLUMNS, wechat.COLUMNS, *reddit.KINDS)
#: So many rows are looked at to see what a column is.
_LOOKED_AT = 400
_LIKE_SENDERS = re.compile(
    r"name|sender|from|author|user|person|member|participant|role|speaker|writer|nick|handle|phone|absender|verfasser"
    r"|exp[ée]diteur|auteur|remitente|autor|mittente|afsender|avsender|avs[äa]ndare|l[äa]hett[äa]j[äa]|nadawca|отправитель|автор"
    r"|gönderen|发送|發送|寄件|发言|差出人|送信者|보낸|이름|昵称|姓名",
    re.IGNORECASE,
)
_NOT_SENDERS = re.compile(
    r"tag|mood|categor|title|subject|locat|place|weather|lang|status|service|type|kind|attach|source|device|app|url|link|file"
    r"|format|rating|city|country|read|day|month|year|week",
    re.IGNORECASE,
)
#: As people and accounts are called: Ada, Ada Lunde, +47 911 11 111, ada@example.org.
_NAME = re.compile(
    r"(?:[^\W\d_a-z][\w.'’-]*)(?: [^\W\d_][\w.'’-]*){0,3}|\+?[\d() -]{6,20}|[\w.+-]{1,60}@[\w.-]{1,60}|@\w{2,30}"
)


def found(export: Export) -> bool:
    return any("text" in _columns(_first(export, m), Asked()) for m in _members(export))


def _members(export: Export) -> list[Member]:
    return [m for m in export.matching(_FILES) if not _is_of_another(_first(export, m))]


def _is_of_another(row: Mapping[str, Any]) -> bool:
    """Tell whether a table is one that another source reads."""
    names = {str(name).strip().strip("\ufeff").casefold() for name in row}
    chat = any(isinstance(row.get(name), list) for name in ("messages", "conversations", "conversation"))
    return chat or any(columns <= names for columns in _OTHERS)


def read(export: Export, asked: Asked) -> Iterator[Message | Unreadable | Remark]:
    """Yield the rows of each table.

    Raises ExportFault naming a table without a column for the text, or with one for who wrote that is not known, or
    whose dates or encoding cannot be told.
    """
    for member in _members(export):
        row = _first(export, member)
        columns = _columns(row, asked)
        _check(member, row, columns, asked)
        messages = _Table(member, columns, asked).messages()
        yield from by_thread(messages) if "thread" in columns else messages


def _first(export: Export, member: Member) -> Mapping[str, Any]:
    """Return the first row, or what stands above a CSV's first row."""
    if is_table(member):
        return dict.fromkeys(columns_of(export, member))
    try:
        row = msgspec.json.decode(export.head(member).decode("utf-8-sig", "replace").strip().split("\n", 1)[0])
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return {}
    return row if isinstance(row, dict) else {}


def _columns(row: Mapping[str, Any], asked: Asked) -> dict[str, str]:
    """Say which column is what: as was asked, else by name."""
    called: dict[str, str] = {}
    for name in row:
        called.setdefault(_SIGNS.sub("", str(name).casefold()), str(name))
    found = {what: next((called[n] for n in names if n in called), "") for what, names in _CALLED.items()}
    if "date" in called and "time" in called and found["time"] in (called["date"], called["time"]):
        found |= {"time": called["date"], "clock": called["time"]}
    given = dict(asked.columns)
    if given.get("who") == "":
        found |= {"who_id": "", "mine": ""}
    return {what: name for what, name in (found | given).items() if name in row and name}


def _check(member: Member, row: Mapping[str, Any], columns: Mapping[str, str], asked: Asked) -> None:
    called = ", ".join(map(str, row)) or "none"
    for what, name in asked.columns:
        if name and name not in row:
            raise ExportFault(f"{member.name} has no column called {name}, but: {called}.", f"Say which is {what}.")
    if "text" not in columns:
        raise ExportFault(
            f"{member.name} has no column called text, but: {called}.",
            "Say which one it is, as in --column text=body.",
        )
    if {"who", "mine"} & set(columns) or ("who", "") in asked.columns:
        return
    if likely := _like_senders(member, row, set(columns.values()), asked):
        raise ExportFault(
            f"{member.name} has no column that is known to say who wrote, but: {called}.",
            f"Say which does, perhaps --column who={shlex.quote(likely)}; or, if all of it is yours, --column who=",
        )


def _like_senders(member: Member, row: Mapping[str, Any], known: set[str], asked: Asked) -> str:
    """Return the column that looks most like one of those who wrote; "" if none does."""
    rows = [r for _, r in islice(_rows(member), _LOOKED_AT) if isinstance(r, dict)]
    others = [str(name) for name in row if name not in known]
    me = {folded(name) for name in asked.me}
    for name in others:
        if me & {folded(str(r.get(name) or "")) for r in rows}:
            return name
    for name in others:
        if _LIKE_SENDERS.search(name) and not _NOT_SENDERS.search(name):
            return name
    for name in others:
        values = [v.strip() for r in rows if isinstance(v := r.get(name), str)]
        # Who asks to be told apart by a name says that there are others: then any words that come again will do.
        if _come_again(values) and (asked.me or (not _NOT_SENDERS.search(name) and all(map(_NAME.fullmatch, values)))):
            return name
    return ""


def _come_again(values: list[str]) -> bool:
    """Tell whether a few short words stand in a column again and again."""
    different = set(values)
    words = all(len(v) <= 60 and (not v or any(c.isalpha() for c in v)) for v in different)
    return words and 1 < len(different) <= len(values) / 2


def _rows(member: Member) -> Iterator[tuple[int, Any]]:
    if is_table(member):
        for row in rows_of(member):
            yield (0, row) if isinstance(row, Unreadable) else row
        return
    with member.open() as file:
        for found in lines(file, member.name, object):
            yield (0, found) if isinstance(found, Unreadable) else found


class _Table:
    """Reads the rows of one table."""

    def __init__(self, member: Member, columns: Mapping[str, str], asked: Asked) -> None:
        self._member = member
        self._columns = columns
        self._asked = asked
        self._alone = not {"who", "mine"} & set(columns)
        self._is_machines = _SIGNS.sub("", columns.get("who", "").casefold()) == "role"
        self._by_name = "who" in columns and not {"who_id", "mine"} & set(columns)
        self._named: dict[str, tuple[Person, Kind]] = {}
        """Who it is by name, where nothing else tells; many times quicker than to make it out anew."""
        self._people: dict[tuple[str, str, bool], Person] = {}
        self._threads: dict[str, Thread] = {}
        self._names = Naming()
        self._dates = self._seen()

    def messages(self) -> Iterator[Message | Unreadable | Remark]:
        if is_table(self._member) and not encoding_of(self._member).startswith("utf"):
            rule = f"read as {encoding_of(self._member)}: the table is no UTF-8"
            yield Remark(self._member.stem, self._member.name, rule, self._member.name)
        for number, row in _rows(self._member):
            if isinstance(row, Unreadable):
                yield row
            elif not isinstance(row, dict):
                yield Unreadable(f"{self._member.name}, row {number}", "not a JSON object")
            else:
                yield self._message(row)

    def _seen(self) -> Dates:
        """Look at all dates of the table, if any of the first leaves something open."""
        if "time" not in self._columns:
            return Dates()
        written = (self._time(row) for _, row in _rows(self._member) if isinstance(row, dict))
        if all(instant(time, None) is not None for time in islice(written, _LOOKED_AT) if time not in (None, "")):
            return Dates()
        written = (self._time(row) for _, row in _rows(self._member) if isinstance(row, dict))
        dates = Dates(
            (t for t in written if isinstance(t, str) and instant(t, None) is None), day_first=self._asked.day_first
        )
        if open_date := dates.undecided():
            raise undecided(self._member.name, open_date)
        return dates

    def _time(self, row: Mapping[str, Any]) -> Any:
        time = row.get(self._columns.get("time", ""))
        return f"{time} {row.get(self._columns['clock']) or ''}".strip() if "clock" in self._columns else time

    def _message(self, row: Mapping[str, Any]) -> Message:
        value = {what: row.get(column) for what, column in self._columns.items()}
        text = value["text"].strip() if isinstance(value["text"], str) else ""
        time = self._time(row) if "clock" in value else value.get("time")
        when = instant(time, self._asked.zone)
        if when is None and isinstance(time, str):
            when = self._dates.read(time, self._asked.zone)
        who, kind = self._who(value)
        name = value.get("id")
        identity = str(name) if name not in (None, "") else self._names.name(str(time), who.id, text)
        reply = value.get("reply_to")
        thread = self._thread(value.get("thread"))
        return Message(
            thread, identity, when, who, text, kind if text else "empty", "" if reply is None else str(reply)
        )

    def _who(self, value: Mapping[str, Any]) -> tuple[Person, Kind]:
        if self._alone:
            return _ME, "said"
        if self._by_name:
            name = value["who"]
            try:
                return self._named[name]
            except (KeyError, TypeError):
                found = self._identified(value)
            if isinstance(name, str):
                self._named[name] = found
            return found
        return self._identified(value)

    def _identified(self, value: Mapping[str, Any]) -> tuple[Person, Kind]:
        called = str(value.get("who") or "").strip()
        if self._is_machines and called.casefold() in _ROLES:
            return _ROLES[called.casefold()]
        identity = str(value.get("who_id") or "").strip() or called
        mine = self._mine(value.get("mine"))
        key = identity, called, mine
        if key not in self._people:
            self._people[key] = Person(identity or ("me" if mine else "other"), called, me=True if mine else None)
        return self._people[key], "said"

    def _mine(self, said: Any) -> bool:
        return "mine" in self._columns and said is not None and str(said).strip().casefold() in _YES

    def _thread(self, name: Any) -> Thread:
        if self._alone:
            key = "" if name is None else str(name)
            return self._threads.setdefault(key, Thread(key, key, "journal", alone=True))
        key = self._member.stem if name is None else str(name)
        return self._threads.setdefault(key, Thread(key, key, "request" if self._is_machines else "chat"))
