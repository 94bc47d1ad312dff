"""Messages of all conversations, as they come → each conversation's together, in order.

Some exports hold one long list in which everything is mixed. What does not fit is laid aside in a temporary folder,
each conversation's in sorted runs, which are merged at the end, so that memory stays flat.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from heapq import merge
from operator import itemgetter
from pathlib import Path

import msgspec

from idiolect.memories.importers.message import Message, Person, Remark, Thread, Unreadable

#: So many messages are held.
HELD = 50_000

#: When it was said (of a message without a date: when the one before it was), its number, and the message.
_Placed = tuple[float, int, Message]
_PLACE = itemgetter(0, 1)


def by_thread(
    messages: Iterable[Message | Unreadable | Remark], held: int = HELD
) -> Iterator[Message | Unreadable | Remark]:
    """Yield each thread's messages together, oldest first; those without a date stay where they are."""
    waiting: dict[str, list[_Placed]] = {}
    threads: dict[str, Thread] = {}
    last: dict[str, float] = {}
    count = 0
    with tempfile.TemporaryDirectory(prefix="idiolect-") as folder:
        aside = _Aside(Path(folder))
        for message in messages:
            if not isinstance(message, Message):
                yield message
                continue
            key = message.thread.key
            threads.setdefault(key, message.thread)
            when = last.get(key, float("-inf")) if message.when is None else message.when
            last[key] = when
            waiting.setdefault(key, []).append((when, count, message))
            count += 1
            if count % held == 0:
                aside.lay(waiting)
                waiting = {}
        for key, thread in threads.items():
            runs = [*aside.take(key), sorted(waiting.pop(key, []), key=_PLACE)]
            people: dict[Person, Person] = {}
            for _, _, message in merge(*runs, key=_PLACE):
                # The same objects for all: what follows tells conversations and people apart by them.
                who = people.setdefault(message.who, message.who)
                yield msgspec.structs.replace(message, thread=thread, who=who)


class _Aside:
    """Messages on disk: a file for each thread, in which sorted runs follow each other."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._runs: dict[str, tuple[Path, list[int]]] = {}
        """Of each thread: its file, and where the runs in it end."""

    def lay(self, waiting: dict[str, list[_Placed]]) -> None:
        encode = msgspec.msgpack.Encoder().encode
        for key, placed in waiting.items():
            path, ends = self._runs.setdefault(key, (self._folder / str(len(self._runs)), []))
            with path.open("ab") as file:
                for one in sorted(placed, key=_PLACE):
                    record = encode(one)
                    file.write(len(record).to_bytes(4, "big") + record)
                ends.append(file.tell())

    def take(self, key: str) -> list[Iterator[_Placed]]:
        path, ends = self._runs.get(key, (self._folder, []))
        return [_run(path, start, end) for start, end in zip([0, *ends], ends, strict=False)]


def _run(path: Path, start: int, end: int) -> Iterator[_Placed]:
    decode = msgspec.msgpack.Decoder(_Placed).decode
    with path.open("rb") as file:
        file.seek(start)
        while file.tell() < end:
            yield decode(file.read(int.from_bytes(file.read(4), "big")))
