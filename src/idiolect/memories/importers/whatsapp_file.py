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
from idiolect.memories.importers.whatsapp_lines import Form, Head, Orders, day_of, head_of
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
    runs_back: bool = False
    """Whether some line is hours earlier than the one before it."""
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


class _Look:
    """Gathers what a file shows, line by line."""

    def __init__(self, habits: Habits) -> None:
        self.habits = habits
        self.writers: Counter[str] = Counter()
        self.seconds: dict[str, str | None] = {}
        """What stands before a second colon, where that is the same in all that somebody wrote."""
        self.endings: Counter[str] = Counter()
        self.attached: Counter[str] = Counter()
        self._names: dict[str, str] = {}

    def said(self, rest: str) -> None:
        """Take note of a message, or of a line of the program, of which no colon is to be trusted yet."""
        said = SAID.match(rest)
        if not said:
            return
        name, words = self._names.get(said[1]), said[2] or ""
        if name is None:
            name = self._names[said[1]] = shown_name(said[1])
        marked = words.startswith("\u200e")
        if marked:
            self.habits.marked = True
        # Of a group on iOS the program speaks in the group's name.
        self.writers[name] += not (marked and self.habits.ios)
        if ":" not in words:
            self.seconds[name] = None
        else:
            second = SAID.match(words[:60])
            self.seconds[name] = second[1] if second and self.seconds.get(name, second[1]) == second[1] else None
        if words.find("(") > 0 and (bracket := file_said(words)):
            self.attached[bracket] += 1

    def ending(self, text: str) -> None:
        if text.endswith(">") and (ending := ENDING.search(text)):
            self.endings[ending[1]] += 1
        elif "\u200e" in text[1:] and (tail := HIDDEN.sub("", text.rpartition("\u200e")[2]).strip()):
            self.endings[f"\u200e{tail}"] += 1


def looked_through(member: Member, form: Form, me: set[str], day_first: bool | None) -> File | None:
    """Return what a file is like, or None where nothing tells in which order day and month are.

    `me` are names of the person, folded; `day_first` is what was asked for.
    """
    habits = Habits(ios=form.bracket or form.end == ":")
    look, orders = _Look(habits), Orders()
    for text in text_lines(member):
        head = head_of(text)
        if head and head.form == form:
            orders.see(head)
            look.said(head.rest)
        look.ending(text)
    order = orders.chosen(day_first)
    if order is None:
        return None
    file = File(member, form, order, habits)
    habits.endings = {ending for ending, count in look.endings.items() if count > 1}
    habits.attached = {bracket for bracket, count in look.attached.items() if count > 1}
    writers = look.writers
    file.programs = {name for name in writers if folded(name) not in me and _is_sentence(name, writers, me)}
    file.writers = Counter({name: count for name, count in writers.items() if name not in file.programs})
    for name, second in look.seconds.items():
        if second and name in file.writers and folded(name) not in me and _is_name(second) and len(file.writers) > 1:
            file.longer[name] = f"{name}: {second}"
    file.runs_back = orders.readings[order].back > 0
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


def shown_name(text: str) -> str:
    """Return a name without marks that nobody sees, and without the sign of somebody who is no contact."""
    return HIDDEN.sub("", text).strip().removeprefix("~").strip()
