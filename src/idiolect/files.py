"""Files that appear whole or not at all, and their hashes."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec


@contextmanager
def whole(target: Path) -> Iterator[Path]:
    """Yield a path beside `target` to write a file or folder to; it takes its name when the block succeeds.

    On any exception, Ctrl-C included, what was written is removed and `target` stays as it was.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f".{target.name}.{os.getpid()}.partial")
    remove(partial)
    try:
        yield partial
        if partial.is_file():
            _to_disk(partial)
        elif target.is_dir():
            remove(target)
        partial.replace(target)
    except BaseException:
        remove(partial)
        raise


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


def sha256(path: Path) -> str:
    """Return the hex digest of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _to_disk(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())
