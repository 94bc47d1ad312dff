"""What a file of WhatsApp's is like as a whole, found out before its messages are read.

Who writes in it (and which colons end no name), how its telephone marks what the program writes, and which lines with
a head were pasted into a message.
"""

from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from idiolect.memories.importers.export import Member
from idiolect.memories.importers.identity import folded
from idiolect.memories.importers.whatsapp_lines import BACK, Form, Head, day_of, head_of
from idiolect.memories.importers.whatsapp_words import ENDING, HIDDEN, Habits, file_said

SAID = re.compile(r"([^:\n]{1,100}?):(?:\s(.*)|$)", re.DOTALL)
_QUOTES = re.compile('["“”„«»「」『』]')
#: A name has no more words than this.
_NAME_WORDS = 6
_DAY = 86_400


@dataclass
class File:
    """A file, and how it is to be read."""

    member: Member
    form: Form
    order: str
    habits: Habits
    writers: Counter[str] = field(default_factory=Counter)
    programs: set[str] = field(default_factory=set)
    """What stands before a colon in lines of the program."""
    longer: dict[str, str] = field(default_factory=dict)
    """Names with a colon, by what stands before it."""
    pasted: set[int] = field(default_factory=set)
    """The numbers of heads that are none."""

    def lines(self) -> Iterator[tuple[str, Head | None, int | None]]:
        """Yield each line, its head if it has one, and the moment of that, if it is one of this file's."""
        days: dict[tuple[int, int, int], int | None] = {}
        for text in text_lines(self.member):
            head = head_of(text)
            if head is None or head.form != self.form:
                yield text, head, None
                continue
            if head.date not in days:
                days[head.date] = day_of(head.date, self.order)
            day = days[head.date]
            yield text, head, None if day is None else day * _DAY + head.second


def text_lines(member: Member) -> Iterator[str]:
    """Yield the lines of a file without their ends."""
    with member.open() as file, io.TextIOWrapper(file, "utf-8-sig", "replace", newline="\n") as text:
        for line in text:
            yield line.rstrip("\r\n")


@dataclass
class _Block:
    """Consecutive heads from one that goes back in time to one that is at least where it left off."""

    first: int
    until: int
    """The moment at which it ends."""
    writers: set[str] = field(default_factory=set)
    lines: list[int] = field(default_factory=list)
    """Hashes of its lines."""


class _Look:
    """Gathers what a file shows, line by line."""

    def __init__(self, habits: Habits) -> None:
        self.habits = habits
        self.writers: Counter[str] = Counter()
        self.seconds: dict[str, str | None] = {}
        """What stands before a second colon, where that is the same in all that somebody wrote."""
        self.endings: Counter[str] = Counter()
        self.attached: Counter[str] = Counter()
        self.outside: set[str] = set()
        """Who wrote outside of blocks."""
        self.blocks: list[_Block] = []
        self._block: _Block | None = None
        self._last: int | None = None
        self._number = 0

    def head(self, rest: str, moment: int) -> None:
        said = SAID.match(rest)
        name = shown_name(said[1]) if said else ""
        self._number += 1
        if self._block and moment >= self._block.until:
            self._block = None
        if self._block is None and self._last is not None and moment < self._last - BACK:
            self._block = _Block(self._number, self._last)
            self.blocks.append(self._block)
        self._last = moment
        if self._block:
            self._block.writers.add(name)
            self._block.lines.append(hash((moment, rest)))
        else:
            self.outside.add(name)
        if said:
            self._said(name, said[2] or "")

    def _said(self, name: str, words: str) -> None:
        marked = words.startswith("\u200e")
        self.habits.marked = self.habits.marked or marked
        # Of a group on iOS the program speaks in the group's name.
        self.writers[name] += not (marked and self.habits.ios)
        second = SAID.match(words[:60]) if ":" in words[:60] else None
        self.seconds[name] = second[1] if second and self.seconds.get(name, second[1]) == second[1] else None
        if "(" in words and (bracket := file_said(words)):
            self.attached[bracket] += 1

    def ending(self, text: str) -> None:
        if text.endswith(">") and (ending := ENDING.search(text)):
            self.endings[ending[1]] += 1
        elif "\u200e" in text[1:] and (tail := HIDDEN.sub("", text.rpartition("\u200e")[2]).strip()):
            self.endings[f"\u200e{tail}"] += 1


def looked_through(file: File, me: set[str]) -> File:
    """Fill in what a file shows as a whole. `me` are names of the person, folded."""
    look = _Look(file.habits)
    for text, head, moment in file.lines():
        if head and moment is not None:
            look.head(head.rest, moment)
        look.ending(text)
    file.habits.endings = {ending for ending, count in look.endings.items() if count > 1}
    file.habits.attached = {bracket for bracket, count in look.attached.items() if count > 1}
    writers = look.writers
    file.programs = {name for name in writers if folded(name) not in me and _is_sentence(name, writers, me)}
    file.writers = Counter({name: count for name, count in writers.items() if name not in file.programs})
    for name, second in look.seconds.items():
        if second and name in file.writers and folded(name) not in me and _is_name(second) and len(file.writers) > 1:
            file.longer[name] = f"{name}: {second}"
    pasted = list(_pasted(file, look))
    file.pasted = {number for block in pasted for number in range(block.first, block.first + len(block.lines))}
    heard = look.outside.union(*(block.writers for block in look.blocks if block not in pasted))
    file.writers = Counter({name: count for name, count in file.writers.items() if name in heard})
    return file


def _is_sentence(name: str, writers: Counter[str], me: set[str]) -> bool:
    """Tell whether what stands before a colon is the beginning of a line of the program, not a name."""
    if writers[name] > 2:
        return False
    if len(_QUOTES.findall(name)) % 2:
        return True
    words = name.split()
    if len(words) > _NAME_WORDS:
        return True
    beginnings = (" ".join(words[:n]) for n in range(1, len(words) - 1))
    return any(b in writers or folded(b) in me for b in beginnings)


def _is_name(second: str) -> bool:
    """Tell whether what stands before a second colon could belong to the name, as in "Work: Anna: hi"."""
    words = second.split()
    return len(words) <= 3 and all(w.isalpha() and (w[0].isupper() or not w.isascii()) for w in words)


def _pasted(file: File, look: _Look) -> Iterator[_Block]:
    """Yield the blocks that somebody pasted: of writers unknown to the file, or all of it said before."""
    known = {name for name in look.outside if name in file.writers}
    rest = []
    for block in look.blocks:
        writers = {name for name in block.writers if name in file.writers}
        if writers and known and not writers & known:
            yield block
        else:
            rest.append(block)
    wanted = {line for block in rest for line in block.lines}
    if not wanted:
        return
    first: dict[int, int] = {}
    number = 0
    for _, head, moment in file.lines():
        if head and moment is not None:
            number += 1
            if (line := hash((moment, head.rest))) in wanted:
                first.setdefault(line, number)
    for block in rest:
        if all(first[line] < block.first for line in block.lines):
            yield block


def shown_name(text: str) -> str:
    """Return a name without marks that nobody sees, and without the sign of somebody who is no contact."""
    return HIDDEN.sub("", text).strip().removeprefix("~").strip()
