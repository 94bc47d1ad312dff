"""iMessage: the text files of imessage-exporter, one for each chat, or chat.db as it lies on a Mac.

Newer versions of macOS leave a message's text empty and keep it in `attributedBody`, a typedstream, of which the
first string is the text. Dates in chat.db are nanoseconds (once seconds) since 2001.
"""

from __future__ import annotations

import io
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from idiolect.memories.importers.export import LARGEST_WHOLE, Export, Member
from idiolect.memories.importers.message import Asked, Kind, Message, Person, Thread, Unreadable
from idiolect.memories.importers.naming import Naming
from idiolect.memories.importers.times import from_english, from_number

_DATE = re.compile(r"([A-Z][a-z]{2} \d{2}, \d{4} {1,2}\d{1,2}:\d{2}:\d{2} [AP]M)(?: \(.*\))?")
_PATH = re.compile(r"(?:/|~/|attachments/|[A-Z]:\\)\S.*\.\w{2,6}")
_NOISE = re.compile(
    r"This message responded to an earlier message\.|Sent with .{1,40}|.{1,60} unsent (?:a|this) message[.!]?.*"
    r"|(?:Emphasized|Loved|Liked|Disliked|Laughed|Questioned)(?: at)? “.*”"
)
_SYSTEM = re.compile(
    r".{1,60} (?:renamed the conversation|added .{1,60} to the conversation|left the conversation"
    r"|removed .{1,60} from the"
    r"|changed the group photo|started sharing|stopped sharing).*",
    re.DOTALL,
)
_ME = Person("Me", "Me", me=True)
_SINCE_2001 = 978_307_200
_SQLITE = b"SQLite format 3\0"
_TABLES = ("message", "handle", "chat", "chat_message_join")
_QUERY = """
    SELECT chat.ROWID, chat.guid, chat.display_name, chat.chat_identifier, message.guid, message.text,
           message.attributedBody, message.date, message.is_from_me, handle.id, message.item_type,
           message.associated_message_type, {reply}
    FROM message
    JOIN chat_message_join ON chat_message_join.message_id = message.ROWID
    JOIN chat ON chat.ROWID = chat_message_join.chat_id
    LEFT JOIN handle ON handle.ROWID = message.handle_id
    ORDER BY chat.ROWID, message.date, message.ROWID
"""


def found(export: Export) -> bool:
    return bool(_databases(export)) or any(_is_exporters(export, m) for m in export.matching(r".*\.txt"))


def read(export: Export, asked: Asked) -> Iterator[Message | Unreadable]:
    for member in _databases(export):
        if member.path is None:
            yield Unreadable(member.name, "a database in a zip: unpack it first")
        else:
            yield from _database(Path(member.path))
    for member in export.matching(r".*\.txt"):
        if _is_exporters(export, member):
            yield from _text(member, asked)


def _databases(export: Export) -> list[Member]:
    return [m for m in export.matching(r".*\.db") if export.head(m).startswith(_SQLITE)]


def _is_exporters(export: Export, member: Member) -> bool:
    lines = export.head(member).decode("utf-8-sig", "replace").splitlines()[:1]
    return bool(lines) and _DATE.fullmatch(lines[0]) is not None


def _text(member: Member, asked: Asked) -> Iterator[Message]:
    """Yield the messages of one text file: a line with the date, one with the sender, then the text."""
    people = {"Me": _ME}
    names = Naming()
    thread = Thread(member.stem, member.stem)
    for date, lines in _blocks(member):
        name = lines[0].strip() if lines else ""
        who = people.setdefault(name, Person(name, name))
        text, media = _words(lines[1:])
        kind: Kind = "said" if text else "media" if media else "empty"
        if not lines or _SYSTEM.fullmatch(text) or (not text and _SYSTEM.fullmatch(name)):
            kind = "system"
        identity = names.name(date, name, text)
        yield Message(thread, identity, from_english(date, asked.zone), who, text, kind)


def _blocks(member: Member) -> Iterator[tuple[str, list[str]]]:
    date = ""
    lines: list[str] = []
    with member.open() as file, io.TextIOWrapper(file, "utf-8-sig", "replace", newline="\n") as text:
        for line in text:
            if found := _DATE.fullmatch(line.rstrip()):
                if date:
                    yield date, lines
                date, lines = found[1], []
            else:
                lines.append(line.rstrip())
    if date:
        yield date, lines


def _words(lines: list[str]) -> tuple[str, bool]:
    """Return what was written, and whether there was an attachment; answers and tapbacks are indented below."""
    kept = []
    media = False
    for line in lines:
        if line == "Tapbacks:":
            break
        if line.startswith("    ") or _NOISE.fullmatch(line):
            continue
        if _PATH.fullmatch(line) or line == "\ufffc":
            media = True
        else:
            kept.append(line)
    return "\n".join(kept).strip(), media


def _database(path: Path) -> Iterator[Message | Unreadable]:
    """Yield the messages of a chat.db, chat by chat. It is opened for reading only, and trusted with nothing."""
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)) as database:
            database.execute("PRAGMA trusted_schema = OFF")
            database.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LARGEST_WHOLE)
            database.text_factory = lambda raw: raw.decode("utf-8", "replace")
            if fault := _not_messages(database):
                yield Unreadable(path.name, fault)
                return
            yield from _rows(database)
    except (sqlite3.Error, OverflowError) as error:
        yield Unreadable(path.name, str(error))
    except (UnicodeDecodeError, MemoryError):
        # So sqlite3 tells an error whose message quotes damaged bytes, and a record whose damaged length is absurd.
        yield Unreadable(path.name, "a damaged database")


def _not_messages(database: sqlite3.Connection) -> str | None:
    tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    missing = [name for name in _TABLES if name not in tables]
    return f"no table called {', '.join(missing)}" if missing else None


def _rows(database: sqlite3.Connection) -> Iterator[Message]:
    columns = {row[1] for row in database.execute("PRAGMA table_info(message)")}
    reply = "message.thread_originator_guid" if "thread_originator_guid" in columns else "NULL"
    people: dict[str, Person] = {}
    before, thread = None, Thread("")
    for row in database.execute(_QUERY.format(reply=reply)):
        chat, guid, title, identifier, name, text, body, date, mine, handle, item, aimed, answers = row
        if chat != before:
            group = isinstance(identifier, str) and identifier.startswith("chat")
            before, thread = chat, Thread(str(guid), str(title or identifier or ""), group=group)
        key = str(handle or "")
        who = _ME if mine else people.setdefault(key, Person(key, key))
        words = _plain(text) or _plain(typedstream_text(body) if isinstance(body, bytes) else "")
        kind: Kind = "said" if words else "media"
        if item or aimed:
            kind = "system"
        yield Message(thread, str(name), _when(date), who, words, kind, str(answers or ""))


def _plain(text: Any) -> str:
    return text.replace("\ufffc", "").strip() if isinstance(text, str) else ""


def _when(date: Any) -> float | None:
    if not isinstance(date, int):
        return None
    seconds = date / 1_000_000_000 if abs(date) > 100_000_000_000 else float(date)
    return from_number(seconds + _SINCE_2001)


def typedstream_text(body: bytes) -> str:
    """Return the first string of a typedstream (NSAttributedString): after its class, a `+` and its length."""
    start = body.find(b"NSString")
    at = body.find(b"+", start) + 1 if start >= 0 else 0
    if not at or at >= len(body):
        return ""
    length, at = body[at], at + 1
    if length in (0x81, 0x82):
        size = 2 if length == 0x81 else 4
        length, at = int.from_bytes(body[at : at + size], "little"), at + size
    return body[at : at + length].decode("utf-8", "replace")
