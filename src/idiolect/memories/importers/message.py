"""What every source becomes: a stream of messages, each with when, who, text, thread, reply-to and kind."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, tzinfo
from typing import Literal

import msgspec

#: `said` is what somebody wrote to somebody; every other kind is in no memory, for the reason that stands here.
Kind = Literal[
    "said",
    "system",
    "media",
    "forwarded",
    "deleted",
    "hidden",
    "branch",
    "tool",
    "bot",
    "empty",
    "machine",
    "opinion",
    "disapproved",
    "spam",
    "draft",
]
REASONS: dict[Kind, str] = {
    "system": "written by the program",
    "media": "no words, only media",
    "forwarded": "forwarded: somebody else's words",
    "deleted": "deleted by who wrote it",
    "hidden": "hidden in the conversation",
    "branch": "on a branch that was given up",
    "tool": "to or from a tool",
    "bot": "written by a bot",
    "empty": "no words",
    "machine": "written by a machine",
    "opinion": "an opinion about another memory",
    "disapproved": "disapproved of",
    "spam": "spam",
    "draft": "a draft: never sent",
}


class Person(msgspec.Struct, frozen=True, gc=False):
    """Who wrote: what the export calls them by, and the name that people read."""

    id: str
    name: str
    me: bool | None = None
    """Whether it is the person whose memories these are, where the export itself says so."""
    also: tuple[str, ...] = ()
    """Other names, handles and addresses by which the source knows them."""


class Thread(msgspec.Struct, frozen=True, gc=False):
    """A conversation as the source keeps it. `key` stays the same in every export of the same source."""

    key: str
    title: str = ""
    type: str = "chat"
    """Of the memories: people talk (`chat`), the person asks a machine (`request`), writes letters (`conversation`),
    writes for themself (`journal`, `observation`); or whatever the source itself calls them."""
    group: bool = False
    """Whether more than one other person is in it, where the export says so."""
    alone: bool = False
    """Whether each message stands for itself: what was said between them is not in the export."""
    tags: tuple[str, ...] = ()
    mode: str = ""
    """The cognitive mode, where the source states it."""


class Message(msgspec.Struct, frozen=True, gc=False):
    """One message. `id` names it within its thread, in every export of the same source."""

    thread: Thread
    id: str
    when: float | None
    """Seconds since 1970 in UTC; negative before."""
    who: Person
    text: str
    kind: Kind = "said"
    reply_to: str = ""
    """The id of the message that it answers, where the export says so."""
    rule: str = ""
    """Why it is in no memory, where its kind does not say it closely enough."""


class Unreadable(msgspec.Struct, frozen=True, tag=True, gc=False):
    """A file or record of an export that could not be read, and why."""

    where: str
    reason: str


class Remark(msgspec.Struct, frozen=True, tag=True, gc=False):
    """Something about a message, or a line that became none, that the person should know; what is said is counted."""

    thread: str
    """The key of the conversation."""
    id: str
    """Of the message; of a line that became none, what finds it."""
    rule: str
    """What is to be said, as "taken for pasted text"."""
    example: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a source is told about an export that does not say it itself."""

    me: Collection[str] = ()
    """Names, ids or addresses of the person."""
    zone: tzinfo | None = UTC
    """Where clocks stood that the export gives no offset for; None: where this computer's stands."""
    day_first: bool | None = None
    """Whether 3/4 is the third of April; None: find out."""
    columns: tuple[tuple[str, str], ...] = ()
    """Of a table: (what it is, how its column is called)."""
