"""Messages → talks: what the person said in one go, and what it answers.

A conversation is cut at pauses. In each part, consecutive messages of one side are joined into a turn; a turn of the
person with the others' words before it is an exchange, and exchanges follow each other in a talk until it is as long
as a model reads at once. A message that is not somebody's own words to somebody, or was imported before, is in no
talk; it is left, by a rule that has a name.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

import msgspec

from idiolect.memories.importers.lengths import bytes_of, pieces, trimmed
from idiolect.memories.importers.message import REASONS, Message, Person, Thread
from idiolect.memories.importers.quotes import is_link, without_quotes

Others = Literal["keep", "mask", "drop"]

#: UTF-8 bytes of one talk: less than 2,048 tokens (the default max_seq_length) in most scripts.
TALK_BYTES = 4_000
#: … of what others said before the person did.
CONTEXT_BYTES = 1_500
#: … of what the person says in one go; the rest of something longer is asked for.
SAID_BYTES = TALK_BYTES - CONTEXT_BYTES
#: Nobody types more into a chat at once.
TYPED_BYTES = 3_000
#: A part without a pause is worked off when it has so many messages.
PART_MESSAGES = 2_000
#: So many messages of a conversation can be looked back to from a reply.
REMEMBERED = 5_000
#: What joins messages: those of a journal are paragraphs.
_SEAM = {"journal": "\n\n"}
#: What is asked before the rest of something long.
GO_ON = "Go on."

NOT_ANSWERED = "the person does not answer it"
TOO_FAR = "too long before the person's answer"
PASTED = "too long to have been typed: pasted"
LINK = "only a link"
QUOTATION = "only a quotation"
UNWANTED = "others' words are not wanted"
ANSWERED_BEFORE = "its answer was imported before"
BEFORE = "imported before"


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


class Left(msgspec.Struct, frozen=True, tag=True, gc=False):
    """A message that is in no talk, and the rule why."""

    thread: Thread
    id: str
    rule: str


#: A message, and whether it is the person's.
_Heard = tuple[Message, bool]


@dataclass(slots=True)
class _Exchange:
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
    exchange: _Exchange
    apart: bool
    """Whether it begins a talk of its own."""
    goes_on: bool = False


@dataclass(frozen=True)
class Builder:
    """How talks are made: who the person is, what was imported before, and how long a pause ends a part."""

    is_me: Callable[[Person], bool]
    claim: Callable[[str, str], bool]
    """Given a conversation and a message of the person's: whether it is in no memory yet, but will be now."""
    named: Callable[[str, str], bool]
    """Whether an earlier import has said what became of a message."""
    pause: float
    """Seconds."""
    others: Others = "keep"

    def build(self, messages: Iterable[Message]) -> Iterator[Talk | Left]:
        """Yield talks, and every message that is in none. The messages of a conversation come together, in order."""
        thread: Thread | None = None
        part: list[_Heard] = []
        earlier: OrderedDict[str, Message] = OrderedDict()
        last: float | None = None
        for message in messages:
            if message.thread is not thread:
                yield from self._part(part, earlier)
                part, earlier, last, thread = [], OrderedDict(), None, message.thread
            if message.kind != "said":
                yield self._left(message, REASONS[message.kind])
                continue
            when = message.when
            if part and self._ends(part, last, when):
                yield from self._part(part, earlier)
                part = []
            part.append((message, self.is_me(message.who)))
            last = last if when is None else when
        yield from self._part(part, earlier)

    def _ends(self, part: Sequence[_Heard], last: float | None, when: float | None) -> bool:
        if last is not None and when is not None and abs(when - last) > self.pause:
            return True
        return len(part) >= PART_MESSAGES and part[-1][1]

    def _part(self, part: Sequence[_Heard], earlier: OrderedDict[str, Message]) -> Iterator[Talk | Left]:
        if not part:
            return
        first = part[0][0]
        if first.thread.alone:
            yield from self._entries(part)
            return
        left: list[Left] = []
        exchanges = self._exchanges(part, earlier, left)
        yield from left
        if exchanges:
            labelled = first.thread.group or len({m.who.id for m, mine in part if not mine}) > 1
            yield from _talks(exchanges, first.id, labelled=labelled)

    def _entries(self, part: Sequence[_Heard]) -> Iterator[Talk | Left]:
        """Make a talk of each of the person's entries: nobody answers, and nothing is answered."""
        for message, mine in part:
            text = without_quotes(message.text)[0]
            if rule := self._rule(message, text) if mine else NOT_ANSWERED:
                yield self._left(message, rule)
            else:
                exchange = _Exchange(own=[(message, text)])
                yield from _talks([exchange], message.id, labelled=False)

    def _rule(self, message: Message, own: str) -> str | None:
        """Name the rule by which there is nothing new of the person's own in a message."""
        if not own:
            return QUOTATION
        if is_link(own):
            return LINK
        typed = message.thread.type in ("chat", "request")
        if typed and len(own) * 4 > TYPED_BYTES and bytes_of(own) > TYPED_BYTES:
            return PASTED
        return None if self.claim(message.thread.key, message.id) else BEFORE

    def _exchanges(
        self, part: Sequence[_Heard], earlier: OrderedDict[str, Message], left: list[Left]
    ) -> list[_Exchange]:
        """Sort the messages of a part into exchanges, and put those that are in none into `left`."""
        exchanges = []
        now = _Exchange()
        for message, mine in part:
            target = self._target(message, earlier) if mine and message.reply_to else None
            elsewhere = target is not None and not (now.context and now.context[-1] is target)
            if now.answered and (not mine or elsewhere or _is_full(now)):
                exchanges.append(now)
                now = _Exchange()
            if mine:
                if target:
                    _come_back(now, target)
                self._say(message, now, left)
            else:
                now.context.append(message)
            earlier[message.id] = message
            if len(earlier) > REMEMBERED:
                earlier.popitem(last=False)
        exchanges.append(now)
        for number, exchange in enumerate(exchanges):
            exchange.apart = number > 0 and not exchanges[number - 1].own
            self._shorten(exchange, left)
        return [e for e in exchanges if e.own]

    def _target(self, message: Message, earlier: OrderedDict[str, Message]) -> Message | None:
        """Return the message of somebody else that the person answers, where the export says so."""
        target = earlier.get(message.reply_to)
        return None if target is None or self.is_me(target.who) else target

    def _say(self, message: Message, now: _Exchange, left: list[Left]) -> None:
        own, quoted = without_quotes(message.text)
        rule = self._rule(message, own)
        if rule is None:
            now.own.append((message, own))
            now.quoted = now.quoted or quoted
        else:
            left.append(self._left(message, rule))
        now.answered = now.answered or rule in (None, BEFORE)

    def _shorten(self, exchange: _Exchange, left: list[Left]) -> None:
        """Leave the context that nothing answers, that is not wanted, or that is too long."""
        if not exchange.own or self.others == "drop":
            rule = (UNWANTED if exchange.own else ANSWERED_BEFORE) if exchange.answered else NOT_ANSWERED
            left += [self._left(m, rule) for m in exchange.context if m.id not in exchange.again]
            exchange.context, exchange.quoted = [], ""
            return
        room = CONTEXT_BYTES
        for number in range(len(exchange.context) - 1, -1, -1):
            room -= bytes_of(exchange.context[number].text)
            if room < 0 and number < len(exchange.context) - 1:
                far = exchange.context[: number + 1]
                left += [self._left(m, TOO_FAR) for m in far if m.id not in exchange.again]
                del exchange.context[: number + 1]
                return

    def _left(self, message: Message, rule: str) -> Left:
        named = self.named(message.thread.key, message.id)
        return Left(message.thread, message.id, BEFORE if named else rule)


def _come_back(now: _Exchange, target: Message) -> None:
    """Put what the person answers last, before the answer."""
    if target in now.context:
        now.context.remove(target)
    else:
        now.again.add(target.id)
    now.context.append(target)


def _is_full(exchange: _Exchange) -> bool:
    """Tell whether the person has said so much that more would be another go; a journal's entry is one."""
    if exchange.own and exchange.own[0][0].thread.type == "journal":
        return False
    return len(exchange.own) > 1 and sum(len(text) for _, text in exchange.own) > CONTEXT_BYTES


def _talks(exchanges: Sequence[_Exchange], part: str, *, labelled: bool) -> Iterator[Talk]:
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


def _said(exchange: _Exchange, *, labelled: bool) -> Iterator[_Said]:
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
            rest = _Exchange(own=exchange.own[:1])
            yield _Said(f"{name}#{number + 1}", Turn(mine=False, text=GO_ON), piece, rest, apart=True, goes_on=True)


def _heard(exchange: _Exchange, *, labelled: bool) -> Turn | None:
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
