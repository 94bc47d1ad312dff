"""Files from elsewhere, another computer's, an archive's, an upload's: each keeps to its folder, and to what was said.

Who sends them may be hostile. A name is a path below a folder and leads nowhere else; of a file there comes what was
announced, to the byte, or nothing of it has its name here.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO

#: What a part of a name is: no way up, no drive, nothing that a terminal or a C library takes for something else.
_PART = re.compile(r"[^/\\\x00-\x1f\x7f-\x9f\ud800-\udfff]+")
_DRIVE = re.compile(r"[A-Za-z]:")
_LONGEST, _DEEPEST, _MOST = 240, 30, 20_000
#: What is fetched grows under this ending: nobody else's file has it.
PARTIAL = ".partial"
_SHA256 = re.compile(r"[0-9a-f]{64}")
_CHUNK = 1 << 20


class Refused(ValueError):
    """What somebody sends, or would send, is not taken; says why."""


@dataclass(frozen=True)
class Announced:
    """A file that somebody has: its path below a folder, with slashes, its bytes, its SHA-256."""

    name: str
    size: int
    sha256: str


def placed(folder: Path, name: str) -> Path:
    """Return where below `folder` a file lies that somebody else calls so. Raises Refused if that is not below it.

    A link on the way would lead elsewhere, and is refused, whoever has laid it.
    """
    parts = name.split("/")
    if len(parts) > _DEEPEST or _DRIVE.match(name) or not all(map(_fits, parts)):
        raise Refused(f"{name[:_LONGEST]!r} cannot be the name of a file")
    place = folder
    for part in parts:
        place /= part
        if place.is_symlink():
            raise Refused(f"{name!r} leads through a link")
    return place


def _fits(part: str) -> bool:
    return part not in (".", "..") and len(part.encode("utf-8", "replace")) <= _LONGEST and bool(_PART.fullmatch(part))


def announced(lines: Iterable[str]) -> list[Announced]:
    """Read what a computer says that it has: size, SHA-256 and path of each file, separated by tabs.

    Raises Refused for what is no such list, or one of files that could not lie in one folder.
    """
    found: dict[str, Announced] = {}
    for line in lines:
        size, digest, name = [*line.split("\t", 2), "", ""][:3]
        if not (size.isascii() and size.isdecimal() and len(size) < 16 and _SHA256.fullmatch(digest)):
            raise Refused(f"{line[:_LONGEST]!r} tells of no file")
        if name in found or any(part.endswith(PARTIAL) for part in name.split("/")):
            raise Refused(f"{name[:_LONGEST]!r} cannot be the name of a file")
        found[name] = Announced(name, int(size), digest)
        if len(found) > _MOST:
            raise Refused(f"there are more than {_MOST} files")
    folders = {str(above) for name in found for above in PurePosixPath(name).parents}
    if both := folders & found.keys():
        raise Refused(f"{both.pop()!r} is a file and a folder")
    return list(found.values())


class Arrival:
    """A file that comes in, beside its place until all of it is there; a later one goes on where it was cut off.

    Used as a context: at the end of the block the file must be what was announced, and takes its name. Raises Refused
    if it is not, or at the first byte too many; then nothing of it is left. What another error cuts off stays.
    """

    def __init__(self, folder: Path, file: Announced) -> None:
        self.file = file
        self.place = placed(folder, file.name)
        self._partial = self.place.with_name(f"{self.place.name}{PARTIAL}")
        self.begun = 0
        """So many bytes are here."""

    @property
    def is_here(self) -> bool:
        """Whether the file is here already, byte for byte."""
        if not self.place.is_file() or self.place.stat().st_size != self.file.size:
            return False
        with self.place.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == self.file.sha256

    def __enter__(self) -> Arrival:
        self.place.parent.mkdir(parents=True, exist_ok=True)
        placed(self.place.parent, self._partial.name)
        # Never through a link, which "w" would follow.
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
        self._out: BinaryIO = os.fdopen(os.open(self._partial, flags, 0o600), "r+b")
        self._digest = hashlib.sha256()
        while part := self._out.read(_CHUNK):
            self._digest.update(part)
            self.begun += len(part)
        if self.begun > self.file.size:
            self.restart()
        return self

    @property
    def sha256(self) -> str:
        """The digest of what is here."""
        return self._digest.hexdigest()

    def restart(self) -> None:
        """Drop what is here: it is not how the file begins."""
        self._out.seek(0)
        self._out.truncate()
        self._digest, self.begun = hashlib.sha256(), 0

    def write(self, part: bytes) -> None:
        """Take the next bytes."""
        if self.begun + len(part) > self.file.size:
            raise Refused(f"{self.file.name!r} has more bytes than the {self.file.size} that were announced")
        self._out.write(part)
        self._digest.update(part)
        self.begun += len(part)

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._out.flush()
        os.fsync(self._out.fileno())
        self._out.close()
        if kind is not None and not issubclass(kind, Refused):
            return
        if kind is not None or (self.begun, self.sha256) != (self.file.size, self.file.sha256):
            self._partial.unlink()
            if kind is None:
                raise Refused(f"{self.file.name!r} arrived altered")
            return
        self._partial.replace(self.place)
