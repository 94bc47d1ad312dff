"""A hundred thousand memories: prepared on all cores, and those that were prepared before only looked up.

What is remembered lies in the person's own profile. A file counts as unchanged if its size and time of change are;
other rules, another seed or another version of Idiolect forget all.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import msgspec

from idiolect import __version__
from idiolect.config import CurationRules, Options
from idiolect.curation.classic import classic
from idiolect.curation.prepare import Preparation, prepare
from idiolect.curation.sample import Prepared
from idiolect.files import whole
from idiolect.home import Profile
from idiolect.memories import MemoryFile, Unreadable, memory_files, read_memory

#: Below this, starting processes takes longer than the work.
FEW = 4000
CHUNK = 1000


class _Remembered(msgspec.Struct, frozen=True, array_like=True):
    stamp: tuple[int, int, str]
    prepared: Prepared


class _Memory(msgspec.Struct, frozen=True):
    rules: str
    files: dict[str, _Remembered]


def prepare_all(profile: Profile, options: Options, rules: CurationRules) -> list[Prepared]:
    """Prepare all memories of a person, in the order of their files."""
    if options.dataset_builder == "classic":
        return [classic(read_memory(f) if isinstance(f, MemoryFile) else f) for f in memory_files(profile)]
    how = Preparation(rules, options.seed)
    known = _recall(profile.prepared, _fingerprint(how))
    ready: dict[str, _Remembered] = {}
    unreadable: list[Prepared] = []
    new: list[tuple[MemoryFile, tuple[int, int, str]]] = []
    order = []
    for file in memory_files(profile):
        order.append(file.source)
        if isinstance(file, Unreadable):
            unreadable.append(prepare(file, how))
            continue
        stamp = _stamp(file)
        if (before := known.get(file.source)) and before.stamp == stamp:
            ready[file.source] = before
        else:
            new.append((file, stamp))
    for (_, stamp), prepared in zip(new, _prepared([file for file, _ in new], how), strict=True):
        ready[prepared.memory] = _Remembered(stamp, prepared)
    if new or len(ready) != len(known):
        _remember(profile.prepared, _Memory(_fingerprint(how), ready))
    everything = {p.memory: p for p in unreadable} | {name: r.prepared for name, r in ready.items()}
    return [everything[name] for name in order]


def memory_stamps(profile: Profile) -> dict[str, tuple[int, int, str] | str]:
    """Return what tells a person's memories from those of another time, file by file, without reading them."""
    return {f.source: _stamp(f) if isinstance(f, MemoryFile) else f.reason for f in memory_files(profile)}


def _prepared(files: Sequence[MemoryFile], how: Preparation) -> Iterator[Prepared]:
    if len(files) < FEW:
        yield from (prepare(read_memory(f), how) for f in files)
        return
    # Spawned, not forked: the caller may have threads.
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn")) as pool:
        decoder = msgspec.msgpack.Decoder(list[Prepared])
        work = [pool.submit(_chunk, chunk, how) for chunk in _chunks(files)]
        for chunk in work:
            yield from decoder.decode(chunk.result())


def _chunk(files: Sequence[MemoryFile], how: Preparation) -> bytes:
    return msgspec.msgpack.encode([prepare(read_memory(f), how) for f in files])


def _chunks(files: Sequence[MemoryFile]) -> Iterator[Sequence[MemoryFile]]:
    return (files[i : i + CHUNK] for i in range(0, len(files), CHUNK))


def _stamp(file: MemoryFile) -> tuple[int, int, str]:
    """Return what tells a changed file from the one that was read: time of change, size, the question it answers."""
    try:
        state = os.stat(file.path)  # noqa: PTH116 - a hundred thousand times
    except OSError:
        return 0, -1, ""
    return state.st_mtime_ns, state.st_size, file.question or ""


def _fingerprint(how: Preparation) -> str:
    everything = f"{__version__}:{how.seed}:{how.rules.model_dump_json()}"
    return hashlib.sha256(everything.encode()).hexdigest()


def _recall(path: Path, rules: str) -> dict[str, _Remembered]:
    """Return what is remembered under these rules; what cannot be read is forgotten, and made again."""
    try:
        memory = msgspec.msgpack.decode(path.read_bytes(), type=_Memory)
    except (OSError, msgspec.MsgspecError):
        return {}
    return memory.files if memory.rules == rules else {}


def _remember(path: Path, memory: _Memory) -> None:
    with whole(path) as partial:
        partial.write_bytes(msgspec.msgpack.encode(memory))
