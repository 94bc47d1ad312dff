"""LinkedIn: messages.csv of the download of one's data; who the person is says Profile.csv beside it."""

from __future__ import annotations

from collections.abc import Iterator

from idiolect.memories.importers.dates import instant
from idiolect.memories.importers.export import Export, Member
from idiolect.memories.importers.grouping import by_thread
from idiolect.memories.importers.identity import folded
from idiolect.memories.importers.mail_text import text_of_html
from idiolect.memories.importers.message import Asked, Kind, Message, Person, Remark, Thread, Unreadable
from idiolect.memories.importers.naming import Naming
from idiolect.memories.importers.tables import Row, columns_of, rows_of

_FILES = r".*\.csv"
COLUMNS = frozenset({"conversation id", "from", "sender profile url", "date", "content"})
_UNSENT = ("IS MESSAGE DRAFT", "IS CONVERSATION DRAFT")


def found(export: Export) -> bool:
    return bool(_members(export))


def _members(export: Export) -> list[Member]:
    return [m for m in export.matching(_FILES) if {c.casefold() for c in columns_of(export, m)} >= COLUMNS]


def read(export: Export, asked: Asked) -> Iterator[Message | Unreadable | Remark]:
    me = _profile(export)
    for member in _members(export):
        yield from by_thread(_messages(member, me, asked))


def _profile(export: Export) -> str:
    """Return the person's name, as their profile has it; "" if that is not in the export."""
    for member in export.matching(r"profile\.csv"):
        for row in rows_of(member):
            if not isinstance(row, Unreadable) and row[1].get("First Name"):
                return folded(f"{row[1]['First Name']} {row[1].get('Last Name') or ''}")
    return ""


def _messages(member: Member, me: str, asked: Asked) -> Iterator[Message | Unreadable]:
    names: dict[str, Naming] = {}
    people: dict[tuple[str, str], Person] = {}
    threads: dict[str, Thread] = {}
    for row in rows_of(member):
        if isinstance(row, Unreadable):
            yield row
            continue
        said = {str(k).upper(): v or "" for k, v in row[1].items() if isinstance(v, str | None)}
        key = said.get("CONVERSATION ID", "")
        group = "," in said.get("RECIPIENT PROFILE URLS", "")
        thread = threads.setdefault(key, Thread(key, said.get("CONVERSATION TITLE", ""), group=group))
        name = said.get("FROM", "").strip()
        identity = said.get("SENDER PROFILE URL", "").strip() or name
        is_me = True if me and folded(name) == me else None
        who = people.setdefault((identity, name), Person(identity, name, is_me))
        text = said.get("CONTENT", "").strip()
        text = text_of_html(text.replace("\n", "<br>")) if "</" in text or "<br" in text else text
        date = said.get("DATE", "")
        when = instant(date, asked.zone)
        yield Message(
            thread, names.setdefault(key, Naming()).name(date, identity, text), when, who, text, _kind(said, text)
        )


def _kind(said: Row, text: str) -> Kind:
    if said.get("FOLDER", "").upper() == "SPAM":
        return "spam"
    if said.get("FOLDER", "").upper() == "DRAFT" or any(said.get(c, "").casefold() in ("yes", "true") for c in _UNSENT):
        return "draft"
    if not said.get("FROM", "").strip():
        return "system"
    return "said" if text else "media" if said.get("ATTACHMENTS") else "empty"
