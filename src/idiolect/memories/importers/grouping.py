"""Messages of all conversations, as they come → each conversation's together, in order.

Some exports hold one long list in which everything is mixed. What does not fit is laid aside in a temporary folder,
so that memory stays flat.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from idiolect.memories.importers.message import Message, Thread, Unreadable

#: So many messages are held.
HELD = 50_000


def by_thread(messages: Iterable[Message | Unreadable], held: int = HELD) -> Iterator[Message | Unreadable]:
    """Yield each thread's messages together, oldest first; those without a date stay where they are."""
    waiting: dict[str, list[Message]] = {}
    threads: dict[str, Thread] = {}
    count = 0
    with tempfile.TemporaryDirectory(prefix="idiolect-") as folder:
        aside = _Aside(Path(folder))
        for message in messages:
            if isinstance(message, Unreadable):
                yield message
                continue
            threads.setdefault(message.thread.key, message.thread)
            waiting.setdefault(message.thread.key, []).append(message)
            count += 1
            if count >= held:
                aside.lay(waiting)
                waiting, count = {}, 0
        for key, thread in threads.items():
            # The same thread object for all: what follows tells conversations apart by it.
            together = [*aside.take(key), *waiting.pop(key, [])]
            yield from (msgspec.structs.replace(m, thread=thread) for m in _in_order(together))


def _in_order(messages: list[Message]) -> list[Message]:
    last = float("-inf")
    keyed = []
    for number, message in enumerate(messages):
        last = last if message.when is None else message.when
        keyed.append((last, number, message))
    return [message for _, _, message in sorted(keyed, key=lambda k: k[:2])]


class _Aside:
    """Messages on disk, a file for each thread."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: dict[str, Path] = {}

    def lay(self, waiting: dict[str, list[Message]]) -> None:
        for key, messages in waiting.items():
            path = self._files.setdefault(key, self._folder / str(len(self._files)))
            with path.open("ab") as file:
                for message in messages:
                    record = msgspec.msgpack.encode(message)
                    file.write(len(record).to_bytes(4, "big") + record)

    def take(self, key: str) -> Iterator[Message]:
        if key not in self._files:
            return
        decode = msgspec.msgpack.Decoder(Message).decode
        with self._files[key].open("rb") as file:
            while size := file.read(4):
                yield decode(file.read(int.from_bytes(size, "big")))
