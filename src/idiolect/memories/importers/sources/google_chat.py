"""Google Chat, from Google Takeout: messages.json in a folder for each conversation, user_info.json for whose it is.

Dates are in words, in the account's language. In a space each topic is a conversation within it; what is said in one
answers what was last said in it by somebody else.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from idiolect.memories.importers.export import Export, Member
from idiolect.memories.importers.json_stream import lenient, records
from idiolect.memories.importers.message import Asked, Kind, Message, Person, Thread, Unreadable
from idiolect.memories.importers.worded_dates import from_words

_FILES = r"(?:DM|Space|Group)[^/]*/messages\.json|Groups/[^/]+/messages\.json"
_OWNERS = r"Users/[^/]+/user_info\.json"


class _Creator(msgspec.Struct, gc=False):
    name: Any = None
    email: Any = None
    user_type: Any = None


class _Said(msgspec.Struct, gc=False):
    creator: _Creator | None = None
    created_date: Any = None
    text: Any = None
    message_id: Any = None
    topic_id: Any = None
    message_state: Any = None
    quoted_message_metadata: Any = None


def found(export: Export) -> bool:
    return bool(export.matching(_FILES))


def read(export: Export, asked: Asked) -> Iterator[Message | Unreadable]:
    owners = _owners(export)
    for member in export.matching(_FILES):
        reader = _Reader(_thread(export, member), owners, asked)
        with member.open() as file:
            for batch in records(file, member.name, _Said, "messages"):
                if isinstance(batch, Unreadable):
                    yield batch
                else:
                    yield from map(reader.message, batch.records)


class _Reader:
    """Reads one conversation."""

    def __init__(self, thread: Thread, owners: set[str], asked: Asked) -> None:
        self._thread = thread
        self._owners = owners
        self._zone = asked.zone
        self._people: dict[str, Person] = {}
        self._number = 0
        self._said_last: dict[str, list[tuple[str, str]]] = {}
        """Of each topic the last message of each of the two who spoke last: who, and its id."""

    def message(self, said: _Said) -> Message:
        self._number += 1
        text = said.text.strip() if isinstance(said.text, str) else ""
        who = self._who(said.creator or _Creator())
        quoted = said.quoted_message_metadata
        if text and isinstance(quoted, dict) and isinstance(quoted.get("text"), str):
            text = "".join(f"> {line}\n" for line in quoted["text"].splitlines()) + text
        when = from_words(said.created_date, self._zone) if isinstance(said.created_date, str) else None
        name = said.message_id if isinstance(said.message_id, str) else f"{said.created_date}#{self._number}"
        reply = (
            self._answered(said.topic_id, who, name) if self._thread.group and isinstance(said.topic_id, str) else ""
        )
        return Message(self._thread, name, when, who, text, _kind(said, text), reply)

    def _answered(self, topic: str, who: Person, name: str) -> str:
        """Return the id of what was last said in a topic by somebody else, and take note of this message."""
        last = self._said_last.setdefault(topic, [])
        answered = next((said for by, said in reversed(last) if by != who.id), "")
        last[:] = [*[(by, said) for by, said in last if by != who.id][-1:], (who.id, name)]
        return answered

    def _who(self, creator: _Creator) -> Person:
        email = creator.email if isinstance(creator.email, str) else ""
        name = creator.name if isinstance(creator.name, str) else ""
        key = email or name
        if key not in self._people:
            me = email.casefold() in self._owners if self._owners else None
            self._people[key] = Person(key, name or email, me)
        return self._people[key]


def _kind(said: _Said, text: str) -> Kind:
    if said.message_state == "DELETED":
        return "deleted"
    if said.creator and said.creator.user_type == "Bot":
        return "bot"
    return "said" if text else "media"


def _thread(export: Export, member: Member) -> Thread:
    folder = member.folder.rpartition("/")[2]
    title = ""
    info = export.members.get(f"{member.folder}/group_info.json")
    if info:
        try:
            found = lenient(export.whole(info), dict[str, Any])
            title = found["name"] if isinstance(found.get("name"), str) else ""
        except (ValueError, RecursionError):
            title = ""
    return Thread(folder, title, group=not folder.startswith("DM "))


def _owners(export: Export) -> set[str]:
    owners = set()
    for member in export.matching(_OWNERS):
        try:
            user = lenient(export.whole(member), dict[str, Any]).get("user")
        except (ValueError, RecursionError):
            continue
        if isinstance(user, dict) and isinstance(user.get("email"), str):
            owners.add(user["email"].casefold())
    return owners
