"""What an export holds, counted while its messages pass by: how many, whose, from when to when."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field

from idiolect.memories.importers.message import Message, Person, Unreadable

#: Of what cannot be read, so much is shown; all is counted.
SHOWN = 20


@dataclass
class Survey:
    """The figures of an export. Only `said` messages count for people, times and conversations."""

    messages: int = 0
    threads: int = 0
    said: Counter[tuple[str, str]] = field(default_factory=Counter)
    """How many messages each (id, name) wrote."""
    marked: set[tuple[str, str]] = field(default_factory=set)
    """Who is the person, where the export says so."""
    first: float | None = None
    last: float | None = None
    unreadable: list[Unreadable] = field(default_factory=list)
    unread: int = 0
    everywhere: set[tuple[str, str]] | None = None
    """Who wrote in every conversation with more than one writer."""

    def watch(
        self, stream: Iterable[Message | Unreadable], report: Callable[[Unreadable], None] | None = None
    ) -> Iterator[Message]:
        """Count what passes, and pass on what is a message."""
        thread = None
        here: dict[tuple[str, str], None] = {}
        for item in stream:
            if isinstance(item, Unreadable):
                self._unreadable(item, report)
                continue
            self.messages += 1
            if item.thread is not thread:
                self._left_thread(here)
                here = {}
                thread = item.thread
                self.threads += 1
            if item.kind == "said":
                who = item.who
                key = (who.id, who.name)
                self.said[key] += 1
                here[key] = None
                if who.me and key not in self.marked:
                    self.marked.add(key)
                when = item.when
                if when is not None:
                    if self.first is None or when < self.first:
                        self.first = when
                    if self.last is None or when > self.last:
                        self.last = when
            yield item
        self._left_thread(here)

    def people(self, chosen: Callable[[Person], bool] | None = None) -> list[tuple[Person, int]]:
        """Return who wrote, and how much, most first."""
        found = [(Person(i, name, (i, name) in self.marked or None), n) for (i, name), n in self.said.most_common()]
        return [(p, n) for p, n in found if chosen is None or chosen(p)]

    def likely_me(self) -> Person | None:
        """Return the only one who wrote in each of several conversations, if there is one."""
        if self.marked:
            return Person(*min(self.marked), me=True)
        if self.threads > 1 and self.everywhere and len(self.everywhere) == 1:
            return Person(*next(iter(self.everywhere)))
        return None

    def _left_thread(self, here: Collection[tuple[str, str]]) -> None:
        if len(here) > 1:
            self.everywhere = set(here) if self.everywhere is None else self.everywhere & set(here)

    def _unreadable(self, item: Unreadable, report: Callable[[Unreadable], None] | None) -> None:
        self.unread += 1
        if len(self.unreadable) < SHOWN:
            self.unreadable.append(item)
        if report:
            report(item)


def is_me(names: Collection[str]) -> Callable[[Person], bool]:
    """Return what tells the person from others: the export's own mark, or a name, id or address of theirs."""
    folded = {n.strip().casefold() for n in names}
    answers: dict[tuple[str, str, bool | None], bool] = {}

    def is_them(who: Person) -> bool:
        key = (who.id, who.name, who.me)
        try:
            return answers[key]
        except KeyError:
            named = who.id.casefold() in folded or who.name.strip().casefold() in folded
            answers[key] = bool(who.me) if who.me is not None and not named else named
            return answers[key]

    return is_them
