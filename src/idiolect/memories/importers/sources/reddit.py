"""Reddit: the CSV files of a data request: comments, posts, private messages and chats.

Of comments and posts only the person's own are in it, so that each stands for itself; messages and chats have both
sides. The person's name stands in statistics.csv.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC
from html import unescape

from idiolect.memories.importers.dates import instant
from idiolect.memories.importers.export import Export, Member
from idiolect.memories.importers.grouping import by_thread
from idiolect.memories.importers.identity import folded
from idiolect.memories.importers.message import Asked, Kind, Message, Person, Remark, Thread, Unreadable
from idiolect.memories.importers.tables import Row, columns_of, rows_of

_FILES = r".*\.csv"
#: The columns that tell each kind of file from other tables.
COMMENTS = frozenset({"id", "permalink", "date", "subreddit", "link", "parent", "body"})
POSTS = frozenset({"id", "permalink", "date", "subreddit", "title", "url", "body"})
MAILS = frozenset({"id", "permalink", "date", "from", "to", "subject", "body"})
CHATS = frozenset({"message_id", "created_at", "username", "message", "channel_url"})
KINDS = (COMMENTS, POSTS, MAILS, CHATS)
_GONE = ("[deleted]", "[removed]")
_ME = Person("me", "", me=True)


def found(export: Export) -> bool:
    return bool(_members(export))


def _members(export: Export) -> list[tuple[Member, frozenset[str]]]:
    return [(m, kind) for m in export.matching(_FILES) if (kind := _kind_of(columns_of(export, m)))]


def _kind_of(columns: tuple[str, ...]) -> frozenset[str] | None:
    # The same tables without headers (…_headers.csv) have all columns but the words.
    return next((kind for kind in KINDS if kind <= {c.casefold() for c in columns}), None)


def read(export: Export, _: Asked) -> Iterator[Message | Unreadable | Remark]:
    me = _account(export)
    for member, kind in _members(export):
        if kind in (COMMENTS, POSTS):
            yield from _own(member)
        else:
            yield from by_thread(_letters(member, me, chat=kind is CHATS))


def _account(export: Export) -> str:
    for member in export.matching(r"statistics\.csv"):
        for row in rows_of(member):
            if not isinstance(row, Unreadable) and row[1].get("statistic") == "account name":
                return folded(str(row[1].get("value") or ""))
    return ""


def _own(member: Member) -> Iterator[Message | Unreadable]:
    threads: dict[str, Thread] = {}
    for row in rows_of(member):
        if isinstance(row, Unreadable):
            yield row
            continue
        place = row[1].get("subreddit") or ""
        thread = threads.setdefault(place, Thread(f"r/{place}", f"r/{place}", "observation", alone=True))
        words = "\n\n".join(filter(None, (_words(row[1], "title"), _words(row[1], "body"))))
        yield Message(thread, row[1].get("id") or str(row[0]), _when(row[1], "date"), _ME, *_said(words))


def _letters(member: Member, me: str, *, chat: bool) -> Iterator[Message | Unreadable]:
    people: dict[str, Person] = {}
    for row in rows_of(member):
        if isinstance(row, Unreadable):
            yield row
            continue
        said = row[1]
        name = (said.get("username" if chat else "from") or "").strip()
        who = people.setdefault(name, Person(name, name, True if me and folded(name) == me else None))
        if chat:
            thread = Thread(said.get("channel_url") or "", said.get("channel_name") or "")
            text, when, identity = _words(said, "message"), _when(said, "created_at"), said.get("message_id")
        else:
            other = min(name, said.get("to") or ""), max(name, said.get("to") or "")
            thread = Thread(said.get("thread_id") or " ".join(other), said.get("subject") or "", "conversation")
            text, when, identity = _words(said, "body"), _when(said, "date"), said.get("id")
        parent = said.get("thread_parent_message_id") or "" if chat else ""
        yield Message(thread, identity or str(row[0]), when, who, *_said(text), parent)


def _said(words: str) -> tuple[str, Kind]:
    if words in _GONE:
        return "", "deleted"
    return words, "said" if words else "empty"


def _words(row: Row, column: str) -> str:
    return unescape(row.get(column) or "").strip()


def _when(row: Row, column: str) -> float | None:
    return instant(row.get(column), UTC)
