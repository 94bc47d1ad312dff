"""Files that appear whole or not at all, and their hashes."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from idiolect.errors import DamagedFile, MachineFault, NoRoom

_Record = TypeVar("_Record")

_PARTIAL = ".partial"
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_CLOSED = {errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO, errno.ENOTSUP, errno.EMFILE, errno.ENFILE, errno.ENXIO}
_GONE = {errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG, errno.ELOOP, errno.ENOTEMPTY, errno.ESTALE}
#: No file of ours is nested deeper; what works through one by calling itself has room for it.
_DEEPEST = 64
_MEND = "Mend it, or put it back from a copy."

#: What is raised for a JSON file that is not there, cut short, not UTF-8, of other types, or nested without end.
DAMAGED = (OSError, UnicodeDecodeError, RecursionError, msgspec.MsgspecError)


@contextmanager
def whole(target: Path) -> Iterator[Path]:
    """Yield a path beside `target` to write a file or folder to; it takes its name when the block succeeds.

    On any exception, Ctrl-C included, what was written is removed and `target` stays as it was. When the block has
    ended, bytes and name are on the disk: a power cut afterwards takes neither.
    """
    make_folder(target.parent)
    partial = target.with_name(f".{target.name}.{os.getpid()}{_PARTIAL}")
    remove(partial)
    try:
        yield partial
        for path in (*partial.rglob("*"), partial):
            _to_disk(path)
        if partial.is_dir() and target.is_dir():
            remove(target)
        partial.replace(target)
        _to_disk(target.parent)
    except BaseException:
        remove(partial)
        raise


def make_folder(folder: Path) -> None:
    """Make a folder, and those above it, so that a power cut does not take them."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    _to_disk(folder.parent)


def remove_partials(folder: Path) -> None:
    """Remove what a killed process left half-written in a folder. Nobody else may be writing there."""
    for partial in [p for p in folder.rglob(f".*{_PARTIAL}") if p.exists()]:
        remove(partial)


def remove(path: Path) -> None:
    """Remove a file or a folder, if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def write_text(target: Path, text: str) -> None:
    with whole(target) as partial:
        partial.write_text(text, encoding="utf-8")


def write_json(target: Path, value: Any) -> None:
    """Write indented JSON that a person can read; structs and dataclasses become objects."""
    with whole(target) as partial:
        partial.write_bytes(msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n")


def json_record(value: Any) -> bytes:
    """Return a value as it stands in a list that write_json has written."""
    return msgspec.json.format(msgspec.json.encode(value), indent=2).replace(b"\n", b"\n  ")


def write_json_records(target: Path, records: Iterable[bytes]) -> None:
    """Write what json_record has made of each value of a list: the bytes that write_json would write of the list."""
    with whole(target) as partial, partial.open("wb") as out:
        between = b"[\n  "
        for record in records:
            out.write(between)
            out.write(record)
            between = b",\n  "
        out.write(b"[]\n" if between[:1] == b"[" else b"\n]\n")


def write_jsonl(target: Path, records: Iterable[Any]) -> None:
    encoder = msgspec.json.Encoder()
    with whole(target) as partial, partial.open("wb") as out:
        for record in records:
            out.write(encoder.encode(record) + b"\n")


def read_json(path: Path, kind: type[_Record], remedy: str = _MEND) -> _Record:
    """Read a JSON file of any home as what it must be: a struct, `dict`, `list[...]`.

    Raises DamagedFile, which names the file, whatever is wrong with it: gone, closed, no ordinary file, cut short,
    empty, not UTF-8, of other types, nested without end.
    """
    try:
        return decode_json(regular_bytes(path), kind)
    except (OSError, ValueError) as error:
        raise DamagedFile(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}", remedy) from error


def decode_json(content: bytes | str, kind: type[_Record]) -> _Record:
    """Decode JSON that somebody else may have written. Raises ValueError, whatever is wrong with it."""
    try:
        value = msgspec.json.decode(content, type=kind)
    except (msgspec.MsgspecError, UnicodeError) as error:
        raise ValueError(str(error)) from error
    except RecursionError as error:
        raise ValueError("it is nested too deep") from error
    if _nested(value) > _DEEPEST:
        raise ValueError("it is nested too deep")
    return value


def _nested(value: Any) -> int:
    """Return how deep the lists and objects of plain JSON lie in each other, or a little more than may be."""
    depth, level = 0, [value]
    while level and depth <= _DEEPEST:
        depth += 1
        level = [v for w in level if isinstance(w, dict | list) for v in (w.values() if isinstance(w, dict) else w)]
    return depth


def fault_of_the_disk(error: OSError) -> MachineFault | None:
    """Return what a person can do something about: a disk or a folder that refuses, a file that is gone.

    None for what is no fault of the disk.
    """
    where = error.filename or "a file"
    if error.errno in _FULL:
        return NoRoom(f"The disk became full while {where} was written.", "Free some room, and try again.")
    if error.errno in _CLOSED:
        return MachineFault(f"{where}: {error.strerror}.", "See to that folder and its disk, and try again.")
    if error.errno in _GONE and error.filename:
        return MachineFault(f"{where}: {error.strerror}.", "Put back what was there, or begin anew.")
    return None


def regular_bytes(path: Path) -> bytes:
    """Return the bytes of an ordinary file. Raises OSError, also for a pipe or a device, which might never end."""
    with open(path, "rb", opener=_without_waiting) as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError(0, "it is no ordinary file", str(path))
        return file.read()


def _without_waiting(path: str, flags: int) -> int:
    """Open also a pipe at once, that nobody writes to."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def decode_lines(content: bytes, kind: type[_Record]) -> tuple[list[_Record], list[str]]:
    """Decode JSON lines; return the records, and what is wrong with each of the other lines."""
    decoder = msgspec.json.Decoder(kind)
    records, faults = [], []
    for number, line in enumerate(content.splitlines(), start=1):
        try:
            records.append(decoder.decode(line))
        except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
            faults.append(f"line {number}: {error}")
    return records, faults


def sha256(path: Path) -> str:
    """Return the hex digest of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def size_of(folder: Path) -> int:
    """Return the bytes of all files below a folder, links not followed; 0 if there is none."""
    total, waiting = 0, [str(folder)]
    while waiting:
        try:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
                    elif entry.is_file(follow_symlinks=False):
                        total += entry.stat(follow_symlinks=False).st_size
        except OSError:  # gone meanwhile, or not to be entered
            continue
    return total


def _to_disk(path: Path) -> None:
    """Wait until a file's bytes, or the names in a folder, are on the disk (POSIX: a folder is synced on its own)."""
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
