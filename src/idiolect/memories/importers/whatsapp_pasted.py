"""Which lines with a head were pasted into a message of a WhatsApp chat, and are no messages of it.

That a line is earlier than the one before says little: telephones were offline or had a wrong clock, and chats were
moved. It was pasted if who wrote there is unknown to the rest of the file, or if all of it stands in the file before.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from idiolect.memories.importers.whatsapp_file import SAID, File, shown_name
from idiolect.memories.importers.whatsapp_lines import BACK


@dataclass
class _Block:
    """Consecutive heads from one that goes back in time to one that is at least where it left off."""

    first: int
    until: int
    """The moment at which it ends."""
    writers: set[str] = field(default_factory=set)
    lines: list[int] = field(default_factory=list)
    """Hashes of its lines."""


def leave_pasted(file: File) -> File:
    """Leave the heads that somebody pasted: in blocks of writers unknown to the file, or of what it has before."""
    blocks, outside = _blocks(file)
    known = {name for name in outside if name in file.writers}
    pasted: list[_Block] = []
    rest: list[_Block] = []
    for block in blocks:
        writers = {name for name in block.writers if name in file.writers}
        (pasted if writers and known and not writers & known else rest).append(block)
    first = _first_of(file, {line for block in rest for line in block.lines})
    pasted += [b for b in rest if all(first[line] < b.first for line in b.lines)]
    file.pasted = {number for block in pasted for number in range(block.first, block.first + len(block.lines))}
    heard = outside.union(*(block.writers for block in blocks if block not in pasted))
    file.writers = Counter({name: count for name, count in file.writers.items() if name in heard})
    return file


def _blocks(file: File) -> tuple[list[_Block], set[str]]:
    """Return the blocks of a file, and who wrote outside of them."""
    blocks: list[_Block] = []
    outside: set[str] = set()
    block: _Block | None = None
    last, number = 0, 0
    for _, head, moment in file.lines():
        if head is None or moment is None:
            continue
        number += 1
        if block and moment >= block.until:
            block = None
        if block is None and moment < last - BACK:
            block = _Block(number, last)
            blocks.append(block)
        last = moment
        said = SAID.match(head.rest)
        name = shown_name(said[1]) if said else ""
        if block:
            block.writers.add(name)
            block.lines.append(hash((moment, head.rest)))
        else:
            outside.add(name)
    return blocks, outside


def _first_of(file: File, wanted: set[int]) -> dict[int, int]:
    """Return where lines, given by their hashes, stand first."""
    first: dict[int, int] = {}
    number = 0
    for _, head, moment in file.lines() if wanted else ():
        if head and moment is not None:
            number += 1
            if (line := hash((moment, head.rest))) in wanted:
                first.setdefault(line, number)
    return first
