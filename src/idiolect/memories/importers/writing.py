"""The second half of an import: talks become files, and everything becomes lines of the ledger.

Small imports do it as they read. Once there is much, another process helps: it takes what it can, and whatever comes
while it is busy is written here, so that neither waits for the other.
"""

from __future__ import annotations

import os
import shutil
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
from idiolect.memories.importers.message import Remark, Unreadable
from idiolect.memories.importers.talks import Talk

Item = Talk | Left | Unreadable | Remark

MEMORIES = "memories"
LEDGER = "ledger.jsonl.partial"
#: What the other process writes of it.
REST = "ledger.jsonl.rest"
#: Below so many items, starting a process takes longer than the work.
FEW = 2_000
#: So many are handed over at once: few enough to fit into a pipe, so that handing over takes no time.
TOGETHER = 100
#: So many times that is on its way to the other process.
AHEAD = 2
#: Seconds to wait for the other process rather than write here.
PATIENCE = 0.0


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

    def __init__(self, writing: Writing, folder: Path, ledger: str = LEDGER) -> None:
        self._writing = writing
        self._root = str(folder / MEMORIES)
        self._folders: set[str] = set()
        self._file = (folder / ledger).open("ab")
        self._ledger = Ledger(self._file)

    def take(self, items: Sequence[Item]) -> None:
        for item in items:
            if isinstance(item, Talk):
                path, event = self._writing.event(item)
                self._write(path, msgspec.json.format(msgspec.json.encode(event), indent=2))
                self._ledger.talk(item, path)
            elif isinstance(item, Left):
                self._ledger.left(item)
            elif isinstance(item, Remark):
                self._ledger.remark(item)
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
            self._make(f"{self._root}/{folder}")
            self._folders.add(folder)
        with open(f"{self._root}/{path}", "wb", buffering=0) as file:  # noqa: PTH123
            while content:  # a disk that is almost full takes a part
                content = content[file.write(content) :]

    def _make(self, folder: str) -> None:
        """Make a folder for a day; seldom are month and year missing, too."""
        try:
            os.mkdir(folder)  # noqa: PTH102 - a hundred thousand times
        except FileNotFoundError:
            os.makedirs(folder, exist_ok=True)  # noqa: PTH103
        except FileExistsError:
            pass  # the other process was quicker


class Scribe:
    """Takes items one by one, and has them written here or, once there are many, in another process as well."""

    def __init__(self, writing: Writing, folder: Path) -> None:
        self._writing = writing
        self._folder = folder
        self._desk = Desk(writing, folder)
        self._beside: _Beside | None = None
        self._waiting: list[Item] = []
        self._taken = 0

    def take(self, item: Item) -> None:
        self._waiting.append(item)
        if len(self._waiting) >= TOGETHER:
            self._hand_over()

    def close(self) -> Counts:
        """Wait until all is written, and return how much."""
        self._hand_over()
        counts = self._desk.close()
        if self._beside and not self._beside.given:
            self._beside.abandon()
        elif self._beside:
            counts += self._beside.close()
            with (self._folder / LEDGER).open("ab") as whole, (self._folder / REST).open("rb") as rest:
                shutil.copyfileobj(rest, whole)
        return counts

    def abandon(self) -> None:
        """Stop, because the import came to nothing."""
        if self._beside:
            self._beside.abandon()
        self._desk.close()

    def _hand_over(self) -> None:
        if self._taken >= FEW and not self._beside:
            self._beside = _Beside(self._writing, self._folder)
        if self._beside and self._beside.is_free():
            self._beside.take(self._waiting)
        else:
            self._desk.take(self._waiting)
        self._taken += len(self._waiting)
        self._waiting = []


class _Beside:
    """A desk in another process, which says each time that it can be given more."""

    def __init__(self, writing: Writing, folder: Path) -> None:
        # Spawned, not forked: the caller may have threads.
        context = get_context("spawn")
        self._here, there = context.Pipe()
        self._process = context.Process(target=_work, args=(there, writing, folder), daemon=True)
        self._process.start()
        there.close()
        self.given = 0
        self._encode = msgspec.msgpack.Encoder().encode

    def is_free(self) -> bool:
        return self._here.poll(PATIENCE) and self._answer() is None

    def take(self, items: Sequence[Item]) -> None:
        self.given += len(items)
        try:
            self._here.send_bytes(self._encode(items))
        except (BrokenPipeError, ConnectionResetError):
            while self._answer() is None:
                pass

    def close(self) -> Counts:
        self.take(())
        while (counts := self._answer()) is None:
            pass
        self._process.join()
        self._here.close()
        return counts

    def abandon(self) -> None:
        self._here.close()
        self._process.terminate()
        self._process.join()

    def _answer(self) -> Counts | None:
        """Return the next thing that it says: None, that it can be given more; at the end, what it has written."""
        try:
            answer = self._here.recv()
        except (EOFError, ConnectionResetError):
            self._process.join()
            raise RuntimeError(f"the process that writes memories died ({self._process.exitcode})") from None
        if isinstance(answer, OSError):
            raise answer
        counts: Counts | None = answer
        return counts


def _work(connection: Connection, writing: Writing, folder: Path) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # it is the reader's to stop
    decode = msgspec.msgpack.Decoder(list[Item]).decode
    try:
        desk = Desk(writing, folder, REST)
        for _ in range(AHEAD):
            connection.send(None)
        while items := decode(connection.recv_bytes()):
            desk.take(items)
            connection.send(None)
        connection.send(desk.close())
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return
    except OSError as error:
        connection.send(error)
