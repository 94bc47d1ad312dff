"""The second half of an import: talks become files, and everything becomes lines of the ledger.

Small imports do it as they read; once there is much, it is done in a process of its own, beside the reading.
"""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import Sequence
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path

import msgspec

from idiolect.memories.importers.conversations import Left
from idiolect.memories.importers.events import Writing
from idiolect.memories.importers.ledger import Ledger
from idiolect.memories.importers.message import Unreadable
from idiolect.memories.importers.talks import Talk

Item = Talk | Left | Unreadable

MEMORIES = "memories"
LEDGER = "ledger.jsonl.partial"
#: Below so many items, starting a process takes longer than the work.
FEW = 10_000
TOGETHER = 1_000


class Counts(msgspec.Struct):
    """What has been written."""

    memories: int = 0
    own: int = 0
    context: int = 0
    rules: Counter[str] = msgspec.field(default_factory=Counter)

    def __add__(self, more: Counts) -> Counts:
        both = self.rules + more.rules
        return Counts(self.memories + more.memories, self.own + more.own, self.context + more.context, both)


class Desk:
    """Writes what it is given below a folder."""

    def __init__(self, writing: Writing, folder: Path) -> None:
        self._writing = writing
        self._root = str(folder / MEMORIES)
        self._folders: set[str] = set()
        self._file = (folder / LEDGER).open("ab")
        self._ledger = Ledger(self._file)

    def take(self, items: Sequence[Item]) -> None:
        for item in items:
            if isinstance(item, Talk):
                path, event = self._writing.event(item)
                self._write(path, msgspec.json.format(msgspec.json.encode(event), indent=2))
                self._ledger.talk(item, path)
            elif isinstance(item, Left):
                self._ledger.left(item)
            else:
                self._ledger.unreadable(item)

    def close(self) -> Counts:
        self._ledger.flush()
        self._file.close()
        ledger = self._ledger
        return Counts(ledger.memories, ledger.own, ledger.context, ledger.rules)

    def _write(self, path: str, content: bytes) -> None:
        folder = path.rpartition("/")[0]
        if folder not in self._folders:
            os.makedirs(f"{self._root}/{folder}", exist_ok=True)  # noqa: PTH103 - a hundred thousand times
            self._folders.add(folder)
        with open(f"{self._root}/{path}", "wb", buffering=0) as file:  # noqa: PTH123
            file.write(content)


class Scribe:
    """Takes items one by one, and has them written here or in a process of its own."""

    def __init__(self, writing: Writing, folder: Path) -> None:
        self._writing = writing
        self._folder = folder
        self._desk: Desk | _Elsewhere = Desk(writing, folder)
        self._waiting: list[Item] = []
        self._taken = 0
        self._before = Counts()

    def take(self, item: Item) -> None:
        self._waiting.append(item)
        if len(self._waiting) >= TOGETHER:
            self._hand_over()

    def close(self) -> Counts:
        """Wait until all is written, and return how much."""
        self._hand_over()
        return self._before + self._desk.close()

    def abandon(self) -> None:
        """Stop, because the import came to nothing."""
        if isinstance(self._desk, _Elsewhere):
            self._desk.abandon()
        else:
            self._desk.close()

    def _hand_over(self) -> None:
        self._desk.take(self._waiting)
        self._taken += len(self._waiting)
        self._waiting = []
        if self._taken >= FEW and isinstance(self._desk, Desk):
            self._before = self._desk.close()
            self._desk = _Elsewhere(self._writing, self._folder)


class _Elsewhere:
    """A desk in another process."""

    def __init__(self, writing: Writing, folder: Path) -> None:
        # Spawned, not forked: the caller may have threads.
        context = get_context("spawn")
        self._here, there = context.Pipe()
        self._process = context.Process(target=_work, args=(there, writing, folder), daemon=True)
        self._process.start()
        there.close()
        self._encode = msgspec.msgpack.Encoder().encode

    def take(self, items: Sequence[Item]) -> None:
        try:
            self._here.send_bytes(self._encode(items))
        except BrokenPipeError:
            self._raise()

    def close(self) -> Counts:
        self.take(())
        counts = self._answer()
        self._process.join()
        self._here.close()
        return counts

    def abandon(self) -> None:
        self._here.close()
        self._process.terminate()
        self._process.join()

    def _raise(self) -> None:
        self._answer()
        raise RuntimeError("the process that writes memories stopped taking them")

    def _answer(self) -> Counts:
        try:
            answer = self._here.recv()
        except (EOFError, ConnectionResetError):
            self._process.join()
            raise RuntimeError(f"the process that writes memories died ({self._process.exitcode})") from None
        if isinstance(answer, Counts):
            return answer
        raise answer


def _work(connection: Connection, writing: Writing, folder: Path) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # it is the reader's to stop
    decode = msgspec.msgpack.Decoder(list[Item]).decode
    try:
        desk = Desk(writing, folder)
        while items := decode(connection.recv_bytes()):
            desk.take(items)
        connection.send(desk.close())
    except EOFError:
        return
    except OSError as error:
        connection.send(error)
