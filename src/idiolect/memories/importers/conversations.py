"""Messages → exchanges: what the person said in one go, and what it answers.

A conversation is cut at pauses. In each part, consecutive messages of one side are joined into a turn; a turn of the
person with the others' words before it is an exchange; `talks.py` lets these follow each other. A message that is not
somebody's own words to somebody, or was imported before, is in no talk; it is left, by a rule that has a name.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

import msgspec

from idiolect.memories.importers.lengths import bytes_of
from idiolect.memories.importers.message import REASONS, Message, Person, Thread
from idiolect.memories.importers.quotes import is_link, without_quotes
from idiolect.memories.importers.survey import example_of
from idiolect.memories.importers.talks import CONTEXT_BYTES, Exchange, Talk, talks

Others = Literal["keep", "mask", "drop"]

#: Nobody types more into a chat at once.
TYPED_BYTES = 3_000
#: A part without a pause is worked off when it has so many messages.
PART_MESSAGES = 2_000
#: So many messages of a conversation can be looked back to from a reply.
REMEMBERED = 5_000
#: In a group so many of the others' messages stand before a reply that does not say which it answers.
GROUP_MESSAGES = 8
NOT_ANSWERED = "the person does not answer it"
TOO_FAR = "too long before the person's answer"
PASTED = "too long to have been typed: pasted"
LINK = "only a link"
QUOTATION = "only a quotation"
UNWANTED = "others' words are not wanted"
ANSWERED_BEFORE = "its answer was imported before"
BEFORE = "imported before"


class Left(msgspec.Struct, frozen=True, tag=True, gc=False):
    """A message that is in no talk, and the rule why."""

    thread: Thread
    id: str
    rule: str


#: A message, and whether it is the person's.
_Heard = tuple[Message, bool]


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
    examples: dict[str, str] = field(default_factory=dict)
    """The text of the first message that each rule has left out."""

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
                yield self._left(message, message.rule or REASONS[message.kind])
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
        return len(part) >= PART_MESSAGES and (part[-1][1] or len(part) >= 4 * PART_MESSAGES)

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
            yield from talks(exchanges, first.id, labelled=labelled)

    def _entries(self, part: Sequence[_Heard]) -> Iterator[Talk | Left]:
        """Make a talk of each of the person's entries: nobody answers, and nothing is answered."""
        for message, mine in part:
            text = without_quotes(message.text)[0]
            if rule := self._rule(message, text) if mine else NOT_ANSWERED:
                yield self._left(message, rule)
            else:
                exchange = Exchange(own=[(message, text)])
                yield from talks([exchange], message.id, labelled=False)

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
    ) -> list[Exchange]:
        """Sort the messages of a part into exchanges, and put those that are in none into `left`."""
        exchanges = []
        now = Exchange()
        for message, mine in part:
            target = self._target(message, earlier) if mine and message.reply_to else None
            elsewhere = target is not None and not (now.context and now.context[-1] is target)
            if now.answered and (not mine or elsewhere or _is_full(now)):
                exchanges.append(now)
                now = Exchange()
            if mine:
                if target:
                    left += [self._left(m, NOT_ANSWERED) for m in _come_back(now, target)]
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

    def _say(self, message: Message, now: Exchange, left: list[Left]) -> None:
        own, quoted = without_quotes(message.text)
        rule = self._rule(message, own)
        if rule is None:
            now.own.append((message, own))
            now.quoted = now.quoted or quoted
        else:
            left.append(self._left(message, rule))
        now.answered = now.answered or rule in (None, BEFORE)

    def _shorten(self, exchange: Exchange, left: list[Left]) -> None:
        """Leave the context that nothing answers, that is not wanted, or that is too long."""
        if not exchange.own or self.others == "drop":
            rule = (UNWANTED if exchange.own else ANSWERED_BEFORE) if exchange.answered else NOT_ANSWERED
            left += [self._left(m, rule) for m in exchange.context if m.id not in exchange.again]
            exchange.context, exchange.quoted = [], ""
            return
        room = CONTEXT_BYTES
        for number in range(len(exchange.context) - 1, -1, -1):
            room -= bytes_of(exchange.context[number].text)
            many = exchange.context[0].thread.group and len(exchange.context) - number > GROUP_MESSAGES
            if many or (room < 0 and number < len(exchange.context) - 1):
                far = exchange.context[: number + 1]
                left += [self._left(m, TOO_FAR) for m in far if m.id not in exchange.again]
                del exchange.context[: number + 1]
                return

    def _left(self, message: Message, rule: str) -> Left:
        if self.named(message.thread.key, message.id):
            rule = BEFORE
        if rule not in self.examples:
            self.examples[rule] = example_of(message.text)
        return Left(message.thread, message.id, rule)


def _come_back(now: Exchange, target: Message) -> list[Message]:
    """Put what the person answers last, before the answer; return what in a group is not needed beside it."""
    if target not in now.context:
        now.again.add(target.id)
        at = len(now.context)
        now.context.append(target)
    else:
        at = now.context.index(target)
    needed = [target]
    if not target.thread.group:
        now.context.remove(target)
        now.context.append(target)
        return []
    while at > 0 and now.context[at - 1].who is target.who and target.id not in now.again:
        at -= 1
        needed.insert(0, now.context[at])
    other = [m for m in now.context if m not in needed and m.id not in now.again]
    now.context = needed
    return other


def _is_full(exchange: Exchange) -> bool:
    """Tell whether the person has said so much that more would be another go; a journal's entry is one."""
    if exchange.own and exchange.own[0][0].thread.type == "journal":
        return False
    return len(exchange.own) > 1 and sum(len(text) for _, text in exchange.own) > CONTEXT_BYTES
