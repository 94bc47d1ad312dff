"""iMessage: the text files of imessage-exporter, one for each chat, or chat.db as it lies on a Mac.

Newer versions of macOS leave a message's text empty and keep it in `attributedBody`, a typedstream, of which the
first string is the text. Dates in chat.db are nanoseconds (once seconds) since 2001.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from idiolect.memories.importers.export import LARGEST_WHOLE, Export, Member
from idiolect.memories.importers.imessage_text import ME, is_exporters, messages
from idiolect.memories.importers.message import Asked, Kind, Message, Person, Thread, Unreadable
from idiolect.memories.importers.times import from_number

_SINCE_2001 = 978_307_200
_SQLITE = b"SQLite format 3\0"
_TABLES = ("message", "handle", "chat", "chat_message_join")
_QUERY = """
    SELECT one.first, oldest.guid, chat.display_name, chat.chat_identifier, message.guid, message.text,
           message.attributedBody, message.date, message.is_from_me, handle.id, message.item_type,
           message.associated_message_type, {reply}
    FROM message
    JOIN chat_message_join ON chat_message_join.message_id = message.ROWID
    JOIN chat ON chat.ROWID = chat_message_join.chat_id
    JOIN ({one}) AS one ON one.id = chat.ROWID
    JOIN chat AS oldest ON oldest.ROWID = one.first
    LEFT JOIN handle ON handle.ROWID = message.handle_id
    ORDER BY one.first, message.date, message.ROWID
"""
#: Chats with one person, by SMS and by iMessage, are one conversation: the chat that is oldest of those stands for all.
_ONE = """
    SELECT chat.ROWID AS id, MIN(same.ROWID) AS first FROM chat JOIN chat AS same ON same.ROWID = chat.ROWID
    OR (same.chat_identifier = chat.chat_identifier AND chat.chat_identifier NOT LIKE 'chat%') GROUP BY chat.ROWID
"""


def found(export: Export) -> bool:
    return bool(_databases(export)) or any(is_exporters(export, m) for m in export.matching(r".*\.txt"))


def read(export: Export, asked: Asked) -> Iterator[Message | Unreadable]:
    for member in _databases(export):
        if member.path is None:
            yield Unreadable(member.name, "a database in a zip: unpack it first")
        else:
            yield from _database(Path(member.path))
    for member in export.matching(r".*\.txt"):
        if is_exporters(export, member):
            yield from messages(member, asked)


def _databases(export: Export) -> list[Member]:
    return [m for m in export.matching(r".*\.db") if export.head(m).startswith(_SQLITE)]


def _database(path: Path) -> Iterator[Message | Unreadable]:
    """Yield the messages of a chat.db, chat by chat, with those that stand only in its write-ahead log.

    To read that log SQLite writes beside it, so that both are read in a copy; an export is never touched.
    """
    log = path.with_name(f"{path.name}-wal")
    if not log.exists() or not log.stat().st_size:
        yield from _opened(path, "immutable=1")
        return
    with TemporaryDirectory(prefix="idiolect-") as folder:
        copy = Path(folder) / path.name
        shutil.copyfile(path, copy)
        shutil.copyfile(log, copy.with_name(log.name))
        yield from _opened(copy, "immutable=0")


def _opened(path: Path, how: str) -> Iterator[Message | Unreadable]:
    """Yield the messages of a database that is opened for reading only, and trusted with nothing."""
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&{how}", uri=True)) as database:
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
    for row in database.execute(_QUERY.format(reply=reply, one=_ONE)):
        chat, guid, title, identifier, name, text, body, date, mine, handle, item, aimed, answers = row
        if chat != before:
            group = isinstance(identifier, str) and identifier.startswith("chat")
            before, thread = chat, Thread(str(guid), str(title or identifier or ""), group=group)
        key = str(handle or "")
        who = ME if mine else people.setdefault(key, Person(key, key))
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
