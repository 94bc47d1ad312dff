"""What an export holds, counted while its messages pass by: how many, whose, from when to when."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from math import inf
from typing import Any

from idiolect.memories.importers.identity import identity_of
from idiolect.memories.importers.message import Message, Person, Remark, Unreadable

#: Of what cannot be read, so much is shown; all is counted.
SHOWN = 20
#: Of an example, so many characters.
_EXAMPLE = 60
UNDATED = "without a date"


@dataclass
class Survey:
    """The figures of an export. Only `said` messages count for people, times and conversations."""

    messages: int = 0
    threads: int = 0
    said: Counter[str] = field(default_factory=Counter)
    """How many messages each identity wrote."""
    names: dict[str, Counter[str]] = field(default_factory=dict)
    """Under which names, and how often."""
    marked: set[str] = field(default_factory=set)
    """Which identities are the person's, where the export says so."""
    first: float | None = None
    last: float | None = None
    unreadable: list[Unreadable] = field(default_factory=list)
    unread: int = 0
    remarks: Counter[str] = field(default_factory=Counter)
    """How often each thing was to be remarked; none of it changes what becomes of a message."""
    examples: dict[str, str] = field(default_factory=dict)
    """The first of each."""
    everywhere: set[str] | None = None
    """The identities that wrote in every conversation with more than one writer."""

    def watch(
        self,
        stream: Iterable[Message | Unreadable | Remark],
        report: Callable[[Unreadable | Remark], None] | None = None,
    ) -> Iterator[Message]:
        """Count what passes, and pass on what is a message; all else goes to `report`."""
        thread = None
        # By the object, which is the same for all messages of a person in most exports: a tenth of the time.
        here: dict[int, list[Any]] = {}
        first, last = inf, -inf
        for item in stream:
            if not isinstance(item, Message):
                self._aside(item, report)
                continue
            self.messages += 1
            if item.thread is not thread:
                self._left_thread(here, first, last)
                here, thread = {}, item.thread
                self.threads += 1
            if item.kind == "said":
                who = item.who
                try:
                    here[id(who)][1] += 1
                except KeyError:
                    here[id(who)] = [who, 1]
                when = item.when
                if when is not None:
                    if when < first:  # noqa: PLR1730 - half the time of min()
                        first = when
                    if when > last:  # noqa: PLR1730
                        last = when
                else:
                    self._aside(Remark(item.thread.key, item.id, UNDATED, item.text), report)
            yield item
        self._left_thread(here, first, last)

    def people(self) -> list[tuple[Person, int]]:
        """Return who wrote, under the name that they mostly have, and how much, most first."""
        return [(self._person(i), count) for i, count in self.said.most_common()]

    def likely_me(self) -> Person | None:
        """Return the only one who wrote in each of several conversations, if there is one."""
        if self.marked:
            return self._person(min(self.marked))
        if self.threads > 1 and self.everywhere and len(self.everywhere) == 1:
            return self._person(next(iter(self.everywhere)))
        return None

    def _person(self, identity: str) -> Person:
        name = self.names[identity].most_common(1)[0][0]
        return Person(identity, name, True if identity in self.marked else None)

    def _left_thread(self, here: dict[int, list[Any]], first: float, last: float) -> None:
        """Take over what was counted in one conversation, and from when to when all so far were."""
        writers = set()
        for who, count in here.values():
            identity = identity_of(who)
            writers.add(identity)
            self.said[identity] += count
            self.names.setdefault(identity, Counter())[who.name] += count
            if who.me:
                self.marked.add(identity)
        if len(writers) > 1:
            self.everywhere = writers if self.everywhere is None else self.everywhere & writers
        if first <= last:
            self.first, self.last = first, last

    def _aside(self, item: Unreadable | Remark, report: Callable[[Unreadable | Remark], None] | None) -> None:
        if isinstance(item, Remark):
            self.remarks[item.rule] += 1
            if item.rule not in self.examples:
                self.examples[item.rule] = example_of(item.example)
        else:
            self.unread += 1
            if len(self.unreadable) < SHOWN:
                self.unreadable.append(item)
        if report:
            report(item)


def example_of(text: str) -> str:
    """Return so much of a text as is shown of an example: its beginning, on one line."""
    line = " ".join(text[: 4 * _EXAMPLE].split())
    return line if len(line) <= _EXAMPLE else line[: _EXAMPLE - 1].rstrip() + "…"
