"""What a run has done so far: a record for each step that has ended, written when its outputs are whole.

A step is not done again if what it reads is what it read then, and what it wrote is still there, byte for byte.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from idiolect.errors import UserFault
from idiolect.files import DAMAGED, regular_bytes, sha256


class StepRecord(msgspec.Struct, frozen=True):
    """A step that has ended: a fingerprint of what it read, and the SHA-256 of what it wrote, by path."""

    step: str
    outcome: str
    seconds: float
    reads: Mapping[str, str]
    writes: Mapping[str, str]
    ended: datetime


class Journal(msgspec.Struct, frozen=True):
    """journal.json: how the run was asked for, and its steps."""

    label: str
    cycle: str
    person: str
    began: datetime
    environ: Mapping[str, str]
    flags: Mapping[str, Any]
    queue: str = ""
    """The queue whose workers are to carry it out, if it is left to them."""
    turn: int = 0
    """How often it was left to them before."""
    steps: Sequence[StepRecord] = ()


def read_journal(path: Path) -> Journal:
    """Read a journal. Raises UserFault for one that is not there, or damaged."""
    try:
        return msgspec.json.decode(regular_bytes(path), type=Journal)
    except DAMAGED as error:
        raise UserFault(f"{path} cannot be read: {error}", "This run cannot go on; start another one.") from error


def fingerprints(reads: Mapping[str, Any]) -> dict[str, str]:
    """Return a digest of each thing that a step reads: of a file's bytes, or of a value."""
    return {name: sha256(thing) if isinstance(thing, Path) else _digest(thing) for name, thing in reads.items()}


def written(paths: Sequence[Path], root: Path) -> dict[str, str]:
    """Return the digests of files, and of all files in folders, by their path below `root`."""
    files = [f for p in paths for f in (sorted(p.rglob("*")) if p.is_dir() else [p]) if f.is_file()]
    return {str(f.relative_to(root)): sha256(f) for f in files}


def why_again(record: StepRecord, reads: Mapping[str, str], writes: Mapping[str, str]) -> str | None:
    """Say why a step that was done must be done again, or None if it need not."""
    changed = [name for name in {**record.reads, **reads} if record.reads.get(name) != reads.get(name)]
    if changed:
        return f"changed: {', '.join(changed)}"
    lost = [name for name in record.writes if record.writes[name] != writes.get(name)]
    return f"missing or altered: {', '.join(lost)}" if lost else None


def _digest(value: Any) -> str:
    return hashlib.sha256(msgspec.json.encode(value, order="deterministic")).hexdigest()
