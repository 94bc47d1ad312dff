"""Whether a checkpoint is what was written: sums of its files stand in it, and all of it is on the disk before they do.

A power cut, a worn disk or a killed copy leaves files that are cut short or altered under their own names; training
then goes on from the checkpoint before.
"""

from __future__ import annotations

import os
import zlib
from pathlib import Path

from idiolect.errors import DamagedFile
from idiolect.files import read_json, write_json

#: The Trainer's state is written anew where a bundle is moved (see checkpoints.py); that it is JSON is looked at.
_STATE = "trainer_state.json"
_SUMS = "sums.json"
_CHUNK = 4 << 20


def seal(checkpoint: Path) -> None:
    """Wait until the files of a checkpoint are on the disk, and write down their sizes and CRC-32."""
    sums = {}
    for file in _files(checkpoint):
        with file.open("rb") as opened:
            os.fsync(opened.fileno())
        sums[str(file.relative_to(checkpoint))] = _sum(file)
    # Also syncs the names in the folder.
    write_json(checkpoint / _SUMS, sums)


def is_sound(checkpoint: Path) -> bool:
    """Whether a checkpoint is whole; one that was cut off before its sums is judged by the ends of its files."""
    try:
        state = read_json(checkpoint / _STATE, dict)
        sums = read_json(checkpoint / _SUMS, dict[str, tuple[int, int]]) if (checkpoint / _SUMS).exists() else None
        if sums is None:
            return bool(state) and all(map(_ends_in_order, checkpoint.glob("*.safetensors")))
        return bool(state) and all(_sum(checkpoint / name) == wanted for name, wanted in sums.items())
    except (DamagedFile, OSError):
        return False


def _files(checkpoint: Path) -> list[Path]:
    return [f for f in sorted(checkpoint.rglob("*")) if f.is_file() and f.name not in (_STATE, _SUMS)]


def _sum(file: Path) -> tuple[int, int]:
    """Return a file's bytes, and their CRC-32: damage is what it finds, at the speed of the disk."""
    size = crc = 0
    with file.open("rb") as opened:
        while part := opened.read(_CHUNK):
            crc = zlib.crc32(part, crc)
            size += len(part)
    return size, crc


def _ends_in_order(file: Path) -> bool:
    """Whether a safetensors file has the bytes that its header tells of."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(file, framework="pt") as opened:
            opened.keys()
    except (SafetensorError, OSError, ValueError):
        return False
    return True
