"""A hundred thousand memories: prepared on all cores, and those that were prepared before only looked up.

What is remembered lies in the person's own profile. A file counts as unchanged if its size and time of change are;
other rules, another seed or another version of Idiolect forget all.
"""

from __future__ import annotations

import gc
import hashlib
import os
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import chain, islice
from multiprocessing import get_context
from pathlib import Path
from typing import BinaryIO

import msgspec

from idiolect import __version__
from idiolect.config import CurationRules, Options, WhoseWords
from idiolect.curation.classic import classic
from idiolect.curation.edits import NOTHING, Edit, by_memory
from idiolect.curation.prepare import Preparation, drafts, prepare
from idiolect.curation.sample import Draft
from idiolect.files import whole
from idiolect.home import Profile
from idiolect.memories import (
    Memory,
    MemoryFile,
    Reading,
    Stamp,
    Unreadable,
    memory_files,
    read_stamped,
    reading_of,
    stamp,
)

#: Below this, starting processes takes longer than the work.
FEW = 4000
CHUNK = 500
#: More would only hold memory: one of them walks the folders and gathers what all have made.
MOST_PROCESSES = 8
#: Counted up when what is remembered takes another form, or means something else.
_FORM = 2


class _Remembered(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What the memories of a file came to, and what it was like then."""

    stamp: Stamp | None
    drafts: list[Draft]
    of_a_list: str = ""
    """The name of the file, where it holds a list of events."""

    @property
    def source(self) -> str:
        return self.of_a_list or self.drafts[0].fate.memory


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[_Remembered]).decode


def prepare_all(profile: Profile, options: Options, rules: CurationRules, edits: Sequence[Edit] = ()) -> list[Draft]:
    """Prepare all memories of a person, in the order of their files, as they have edited them."""
    by_hand = by_memory(edits)
    if options.dataset_builder == "classic":
        read = (m for f in memory_files(profile, rules) for m in _memories(f)[0])
        return drafts([classic(item, by_hand.get(item.source, NOTHING)) for item in read])
    how = Preparation(rules, options.seed)
    fingerprint = _fingerprint(how, reading_of(profile, rules))
    known = _recall(profile.prepared, fingerprint)
    edited = {*by_hand, *(memory.rpartition("#")[0] for memory in by_hand)}
    found: dict[str, _Remembered] = {}

    def new_files() -> Iterator[MemoryFile]:
        for file in memory_files(profile, rules):
            if isinstance(file, Unreadable):
                (found[file.source],) = _remembered([file], how)
            elif file.source in edited:
                # Few, and never remembered: what is, holds whatever is edited.
                made = [prepare(m, how, by_hand.get(m.source, NOTHING)) for m in _memories(file)[0]]
                found[file.source] = _Remembered(None, drafts(made), file.source)
            elif (before := known.get(file.source)) and before.stamp == stamp(file):
                found[file.source] = before
            else:
                found[file.source] = _TO_COME
                yield file

    new = 0
    for some in _on_all_cores(new_files(), how):
        found |= {r.source: r for r in some}
        new += len(some)
    lasting = [r for r in found.values() if r.stamp]
    if new or len(lasting) != len(known):
        _remember(profile.prepared, fingerprint, lasting)
    return [draft for r in found.values() for draft in r.drafts]


def memory_stamps(profile: Profile) -> dict[str, Stamp | str | None]:
    """Return what tells a person's memories from those of another time, file by file, without reading them."""
    files = memory_files(profile, WhoseWords())
    return {f.source: stamp(f) if isinstance(f, MemoryFile) else f.reason for f in files}


def _on_all_cores(files: Iterator[MemoryFile], how: Preparation) -> Iterator[list[_Remembered]]:
    chunks = iter(lambda: list(islice(files, CHUNK)), [])
    others = min(os.cpu_count() or 1, MOST_PROCESSES) - 1
    first = list(islice(chunks, FEW // CHUNK + 1))
    if others == 0 or sum(map(len, first)) <= FEW:
        yield from (_remembered(chunk, how) for chunk in chain(first, chunks))
        return
    # Spawned, not forked: the caller may have threads.
    pool = ProcessPoolExecutor(others, get_context("spawn"), initializer=gc.disable)
    try:
        work = deque([(pool.submit(_encoded, chunk, how), chunk) for chunk in chain(first, chunks)])
        while work:
            # This process works along, from the other end: starting the others takes them a while.
            if not work[0][0].done() and work[-1][0].cancel():
                yield _remembered(work.pop()[1], how)
            else:
                yield _decode(work.popleft()[0].result())
    finally:
        pool.shutdown(cancel_futures=True)


def _encoded(files: Sequence[MemoryFile], how: Preparation) -> bytes:
    return _encode(_remembered(files, how))


def _remembered(files: Sequence[MemoryFile | Unreadable], how: Preparation) -> list[_Remembered]:
    read = [_memories(f) for f in files]
    prepared = iter(drafts([prepare(memory, how) for memories, _ in read for memory in memories]))
    return [
        _Remembered(then, list(islice(prepared, len(memories))), _of_a_list(file, memories))
        for file, (memories, then) in zip(files, read, strict=True)
    ]


def _of_a_list(file: MemoryFile | Unreadable, memories: Sequence[Memory | Unreadable]) -> str:
    return "" if memories[0].source == file.source else file.source


def _memories(file: MemoryFile | Unreadable) -> tuple[Sequence[Memory | Unreadable], Stamp | None]:
    return read_stamped(file) if isinstance(file, MemoryFile) else ([file], None)


def _fingerprint(how: Preparation, reading: Reading) -> str:
    everything = f"{__version__}:{_FORM}:{how.seed}:{how.rules.model_dump_json()}:{sorted(reading.names)}"
    return hashlib.sha256(everything.encode()).hexdigest()


def _recall(path: Path, rules: str) -> dict[str, _Remembered]:
    """Return what is remembered under these rules; what cannot be read is forgotten, and made again."""
    if not path.is_file():
        return {}
    try:
        with path.open("rb") as file:
            if _next_piece(file) != rules.encode():
                return {}
            pieces = iter(lambda: _next_piece(file), b"")
            return {r.source: r for piece in pieces for r in _decode(piece)}
    except (OSError, msgspec.MsgspecError, UnicodeError, RecursionError):
        return {}


def _remember(path: Path, rules: str, remembered: Sequence[_Remembered]) -> None:
    """Write pieces, each after its length in four bytes: what holds everything at once would fill memory."""
    chunks = (remembered[i : i + CHUNK] for i in range(0, len(remembered), CHUNK))
    with whole(path) as partial, partial.open("wb") as out:
        for piece in chain([rules.encode()], map(_encode, chunks)):
            out.write(len(piece).to_bytes(4, "little") + piece)


def _next_piece(file: BinaryIO) -> bytes:
    return file.read(int.from_bytes(file.read(4), "little"))


_TO_COME = _Remembered(None, [])
