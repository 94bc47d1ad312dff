"""What became of each message of a source: `ledger.jsonl` beside the memories that were made of it.

A line names messages of one conversation that had the same fate: that are in a memory, as the person's words (`own`)
or as what these answer (`context`), or that are in none, by a rule (`left`); a line with `noted` names some of which a
rule has something to say, whatever became of them. The person's words that it names are never
imported again; that is all that an import has to know of those before it.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import msgspec

from idiolect.errors import ExportFault
from idiolect.memories.importers.conversations import BEFORE, Left
from idiolect.memories.importers.message import Remark, Unreadable
from idiolect.memories.importers.talks import Talk

#: So many messages stand in one line, at most.
_TOGETHER = 1000
#: Of so many conversations are remarks kept before they are written.
_THREADS = 100


class Line(msgspec.Struct, frozen=True, omit_defaults=True):
    """One line of the ledger."""

    thread: str
    memory: str = ""
    own: tuple[str, ...] = ()
    context: tuple[str, ...] = ()
    rule: str = ""
    left: tuple[str, ...] = ()
    noted: tuple[str, ...] = ()


class Seen:
    """A set of hashes in 12 to 24 bytes each: open addressing, as a set of Python's own takes a hundred.

    Two of five million messages have the same hash with a probability of about one in a million.
    """

    def __init__(self) -> None:
        self._slots = array("q", bytes(8 << 12))
        self._mask = (1 << 12) - 1
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def __contains__(self, item: tuple[str, str]) -> bool:
        wanted = hash(item) or 1
        slots, mask = self._slots, self._mask
        at = wanted & mask
        while found := slots[at]:
            if found == wanted:
                return True
            at = (at + 1) & mask
        return False

    def add(self, item: tuple[str, str]) -> bool:
        """Add an item; return whether it is new."""
        new = self._put(hash(item) or 1)
        if self._count * 3 > self._mask * 2:
            self._grow()
        return new

    def _put(self, wanted: int) -> bool:
        slots, mask = self._slots, self._mask
        at = wanted & mask
        while found := slots[at]:
            if found == wanted:
                return False
            at = (at + 1) & mask
        slots[at] = wanted
        self._count += 1
        return True

    def _grow(self) -> None:
        before = self._slots
        self._mask = self._mask * 2 + 1
        self._slots = array("q", bytes(8 * (self._mask + 1)))
        self._count = 0
        for found in before:
            if found:
                self._put(found)


class Ledger:
    """The ledger of a source while an import writes it: the lines of those before, then its own."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._encode = msgspec.json.Encoder().encode
        self._left: tuple[str, str] = ("", "")
        self._noted: dict[tuple[str, str], list[str]] = {}
        self._ids: list[str] = []
        self.rules: Counter[str] = Counter()
        """How many messages each rule has left out."""
        self.own = 0
        self.context = 0
        self.memories = 0

    def talk(self, talk: Talk, memory: str) -> None:
        self._write(Line(talk.thread.key, memory, talk.own, talk.context))
        self.memories += 1
        self.own += len(talk.own)
        self.context += len(talk.context) - talk.again

    def left(self, left: Left) -> None:
        self.rules[left.rule] += 1
        if left.rule == BEFORE:
            return
        if self._left != (left.thread.key, left.rule) or len(self._ids) >= _TOGETHER:
            self.flush()
            self._left = left.thread.key, left.rule
        self._ids.append(left.id)

    def unreadable(self, item: Unreadable) -> None:
        self._write(Line("", rule=f"unreadable: {item.reason}", left=(item.where,)))

    def remark(self, item: Remark) -> None:
        ids = self._noted.setdefault((item.thread, item.rule), [])
        ids.append(item.id)
        if len(self._noted) >= _THREADS or len(ids) >= _TOGETHER:
            self._flush_noted()

    def flush(self) -> None:
        self._flush_noted()
        if self._ids:
            thread, rule = self._left
            self._write(Line(thread, rule=rule, left=tuple(self._ids)))
            self._ids = []

    def _flush_noted(self) -> None:
        for (thread, rule), ids in self._noted.items():
            self._write(Line(thread, rule=rule, noted=tuple(ids)))
        self._noted = {}

    def _write(self, line: Line) -> None:
        self._file.write(self._encode(line) + b"\n")


def lines(path: Path) -> Iterator[Line]:
    """Read a ledger; one that does not exist has no lines. Raises ExportFault naming a malformed line."""
    if not path.exists():
        return
    decode = msgspec.json.Decoder(Line).decode
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            try:
                yield decode(line)
            except msgspec.MsgspecError as error:
                raise ExportFault(
                    f"{path}, line {number} is malformed: {error}",
                    "Take the line out; or remove the folder that it is in, and import this source anew.",
                ) from error
