"""Exchanges → talks: what others said and what the person said to it, as long as a model reads at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import msgspec

from idiolect.memories.importers.lengths import bytes_of, pieces, trimmed
from idiolect.memories.importers.message import Message, Person, Thread

#: UTF-8 bytes of one talk: less than 2,048 tokens (the default max_seq_length) in most scripts.
TALK_BYTES = 4_000
#: … of what others said before the person did.
CONTEXT_BYTES = 1_500
#: … of what the person says in one go; the rest of something longer is asked for.
SAID_BYTES = TALK_BYTES - CONTEXT_BYTES
#: What joins messages: those of a journal are paragraphs.
_SEAM = {"journal": "\n\n"}
#: What is asked before the rest of something long.
GO_ON = "Go on."


class Turn(msgspec.Struct, frozen=True, gc=False):
    """What one side says until the other does."""

    mine: bool
    text: str


class Talk(msgspec.Struct, frozen=True, tag=True):
    """What becomes one memory. It is named by the message of the person with which it begins."""

    thread: Thread
    name: str
    part: str
    """The id of the first message of the part of the conversation that it is from."""
    when: float | None
    """When the person first speaks in it."""
    turns: tuple[Turn, ...]
    own: tuple[str, ...]
    """Ids of the messages that are the person's."""
    context: tuple[str, ...]
    """Ids of the others' messages."""
    again: int
    """How many of these were accounted for before."""
    people: tuple[Person, ...]


@dataclass(slots=True)
class Exchange:
    """What others say, and what the person says to it."""

    context: list[Message] = field(default_factory=list)
    quoted: str = ""
    """What others say that stands in the person's own message."""
    own: list[tuple[Message, str]] = field(default_factory=list)
    again: set[str] = field(default_factory=set)
    """Of the context, the ids of what was accounted for before: the person comes back to it."""
    answered: bool = False
    """Whether the person has spoken, be it in a message that was imported before."""
    apart: bool = False
    """Whether something was left out before it."""


@dataclass(frozen=True, slots=True)
class _Said:
    """One turn of the person, and what it answers."""

    name: str
    heard: Turn | None
    text: str
    exchange: Exchange
    apart: bool
    """Whether it begins a talk of its own."""
    goes_on: bool = False


def talks(exchanges: Sequence[Exchange], part: str, *, labelled: bool) -> Iterator[Talk]:
    """Let exchanges follow each other in one talk while there is room, and each answers something."""
    together: list[_Said] = []
    size = 0
    for said in (s for e in exchanges for s in _said(e, labelled=labelled)):
        more = bytes_of(said.text) + (bytes_of(said.heard.text) if said.heard else 0)
        if together and (said.apart or size + more > TALK_BYTES):
            yield _talk(together, part)
            together, size = [], 0
        together.append(said)
        size += more
    if together:
        yield _talk(together, part)


def _said(exchange: Exchange, *, labelled: bool) -> Iterator[_Said]:
    """Yield what the person says in an exchange; if it is long, in several goes."""
    heard = _heard(exchange, labelled=labelled)
    name = exchange.own[0][0].id
    text = (
        exchange.own[0][1]
        if len(exchange.own) == 1
        else _SEAM.get(exchange.own[0][0].thread.type, "\n").join(own for _, own in exchange.own)
    )
    if len(text) * 4 <= SAID_BYTES:
        yield _Said(name, heard, text, exchange, apart=exchange.apart or heard is None)
        return
    for number, piece in enumerate(pieces(text, SAID_BYTES)):
        if number == 0:
            yield _Said(name, heard, piece, exchange, apart=exchange.apart or heard is None)
        else:
            rest = Exchange(own=exchange.own[:1])
            yield _Said(f"{name}#{number + 1}", Turn(mine=False, text=GO_ON), piece, rest, apart=True, goes_on=True)


def _heard(exchange: Exchange, *, labelled: bool) -> Turn | None:
    """Return what others say in an exchange as one turn; in a group, with their names before it."""
    said = [f"{m.who.name}: {m.text}" if labelled and m.who.name else m.text for m in exchange.context]
    if exchange.quoted:
        said.append(exchange.quoted)
    text = trimmed("\n".join(said), CONTEXT_BYTES) if said else ""
    return Turn(mine=False, text=text) if text else None


def _talk(together: Sequence[_Said], part: str) -> Talk:
    first = together[0]
    message = first.exchange.own[0][0]
    people = {m.who.id: m.who for said in together for m in said.exchange.context}
    return Talk(
        message.thread,
        first.name,
        part,
        message.when,
        tuple(turn for s in together for turn in (s.heard, Turn(mine=True, text=s.text)) if turn),
        tuple(m.id for s in together if not s.goes_on for m, _ in s.exchange.own),
        tuple(m.id for s in together for m in s.exchange.context),
        sum(m.id in s.exchange.again for s in together for m in s.exchange.context),
        tuple(people.values()),
    )
