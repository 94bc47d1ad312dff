"""An export as it was downloaded: a file, a folder or a zip, read in place and never unpacked.

Nothing is written to disk, so that names in an archive can lead nowhere; links are not followed, in folders nor in
zips; a member that claims to unpack to more than text can is not opened.
"""

from __future__ import annotations

import os
import re
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from idiolect.errors import ExportFault

#: Text seldom shrinks to a fiftieth. Deflate's own limit, which bombs reach, is 1,032.
BOMB_RATIO = 200
#: Below this, no ratio does harm.
BOMB_BYTES = 50_000_000
#: A small file that is read whole may have so many bytes.
LARGEST_WHOLE = 64_000_000
#: Most have less.
USUAL = 1 << 18
#: What is read to see what a file is.
HEAD_BYTES = 16_384
#: So much of a file is looked through for signs that do not stand in its first bytes.
LOOKED_THROUGH = 16 << 20


#: What reading raises where a file or an archive is damaged, or may not be read.
DAMAGE = (OSError, EOFError, zipfile.BadZipFile, zlib.error)


@dataclass(frozen=True)
class Member:
    """A file of an export: its path within it, with slashes."""

    name: str
    open: Callable[[], BinaryIO]
    path: str | None = None
    """Where it lies, if it is not in a zip."""

    @property
    def stem(self) -> str:
        return self.name.rpartition("/")[2].rpartition(".")[0]

    @property
    def folder(self) -> str:
        return self.name.rpartition("/")[0]


class Export:
    """The members of an export, in the order of their names; `refused` has those that are not opened, and why."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.refused: list[tuple[str, str]] = []
        self._open = ExitStack()
        self.members: dict[str, Member] = {}

    def __enter__(self) -> Export:
        if not self.path.exists():
            raise ExportFault(f"There is no {self.path}.", "Name the file, folder or zip that you downloaded.")
        if not self.path.is_dir() and not self.path.is_file():
            raise ExportFault(f"{self.path} is no ordinary file.", "Name the file, folder or zip that you downloaded.")
        found = self._below(self.path) if self.path.is_dir() else self._file(str(self.path), self.path.name)
        self.members = {m.name: m for m in sorted(found, key=lambda m: _in_order(m.name))}
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def matching(self, pattern: str) -> list[Member]:
        """Return the members at the end of whose paths a regular expression fits (case does not matter)."""
        fits = re.compile(rf"(?:.*/)?(?:{pattern})", re.IGNORECASE | re.DOTALL).fullmatch
        return [m for name, m in self.members.items() if fits(name)]

    def whole(self, member: Member) -> bytes:
        """Return all bytes of a member. Raises ValueError for one that is too large to be held."""
        with member.open() as file:
            # At once all that may be would be asked of the system, for each small file anew.
            content = file.read(USUAL)
            if len(content) == USUAL:
                content += file.read(LARGEST_WHOLE + 1 - USUAL)
        if len(content) > LARGEST_WHOLE:
            raise ValueError(f"larger than {LARGEST_WHOLE // 1_000_000} MB")
        return content

    def head(self, member: Member) -> bytes:
        """Return the first bytes of a member; of one that cannot be read, none."""
        try:
            with member.open() as file:
                return file.read(HEAD_BYTES)
        except DAMAGE:
            return b""

    def holds(self, member: Member, *signs: bytes) -> bool:
        """Tell whether all of these stand near the beginning of a member, however much is written before them."""
        missing = {sign for sign in signs if sign not in self.head(member)}
        try:
            with member.open() as file:
                seen, rest = 0, b""
                while missing and seen < LOOKED_THROUGH and (block := file.read(1 << 20)):
                    seen += len(block)
                    missing = {sign for sign in missing if sign not in rest + block}
                    rest = block[-100:]
        except DAMAGE:
            return False
        return not missing

    def _below(self, folder: Path) -> Iterator[Member]:
        """Yield what lies below a folder, going by its listing: no file is asked for more, of tens of thousands."""
        waiting = [(str(folder), "")]
        while waiting:
            place, prefix = waiting.pop()
            try:
                entries = list(os.scandir(place))
            except OSError as error:
                self.refused.append((prefix or place, f"not a folder that can be read ({error.strerror})"))
                continue
            for entry in entries:
                # As it is called in reports and memories, where what is no UTF-8 could not be written.
                name = prefix + entry.name.encode("utf-8", "replace").decode()
                if entry.is_dir(follow_symlinks=False):
                    waiting.append((entry.path, f"{name}/"))
                elif entry.is_file(follow_symlinks=False):
                    yield from self._file(entry.path, name, f"{name}/")
                elif entry.is_symlink() and not entry.is_dir():
                    self.refused.append((name, "a link"))

    def _file(self, path: str, name: str, prefix: str = "") -> Iterator[Member]:
        if path.lower().endswith(".zip"):
            yield from self._zip(Path(path), prefix)
        else:
            yield Member(name, lambda: open(path, "rb"), path)  # noqa: PTH123, SIM115

    def _zip(self, path: Path, prefix: str) -> Iterator[Member]:
        try:
            archive = self._open.enter_context(zipfile.ZipFile(path))
        except (zipfile.BadZipFile, OSError, NotImplementedError, ValueError) as error:
            self.refused.append((prefix or path.name, f"not a zip that can be read ({error})"))
            return
        for info in archive.infolist():
            if info.is_dir():
                continue
            if fault := _harmful(info):
                self.refused.append((prefix + info.filename, fault))
            else:
                yield Member(prefix + info.filename, _opener(archive, info))


def _harmful(info: zipfile.ZipInfo) -> str | None:
    if stat.S_ISLNK(info.external_attr >> 16):
        return "a link"
    if info.flag_bits & 1:
        return "encrypted"
    if info.file_size > BOMB_BYTES and info.file_size > BOMB_RATIO * max(info.compress_size, 1):
        return "unpacks to more than text can"
    return None


def _opener(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Callable[[], BinaryIO]:
    # Given the entry, not its name: of two members of one name, each is read.
    def opened() -> BinaryIO:
        try:
            return archive.open(info)  # type: ignore[return-value]
        except (zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
            raise OSError(str(error)) from error

    return opened


def _in_order(name: str) -> list[tuple[int, str]]:
    """Order names so that part 10 comes after part 9."""
    return [
        (int(part), "") if part.isdecimal() and part.isascii() else (-1, part) for part in re.split(r"(\d{1,18})", name)
    ]


def held(name: str, content: bytes) -> Member:
    """Return a member whose content is in memory already."""
    return Member(name, lambda: BytesIO(content))
