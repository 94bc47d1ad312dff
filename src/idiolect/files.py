"""Files that appear whole or not at all, and their hashes."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import msgspec

_Record = TypeVar("_Record")

_PARTIAL = ".partial"

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


def decode_lines(content: bytes, kind: type[_Record]) -> tuple[list[_Record], list[str]]:
    """Decode JSON lines; return the records, and what is wrong with each of the other lines."""
    decoder = msgspec.json.Decoder(kind)
    records, faults = [], []
    for number, line in enumerate(content.splitlines(), start=1):
        try:
            records.append(decoder.decode(line))
        except msgspec.MsgspecError as error:
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
