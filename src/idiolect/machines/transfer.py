"""Files to another computer and back: checksummed, and resumed in the middle.

A file grows beside its place as `<name>.partial`. What is there already is kept if its SHA-256 is that of the same
stretch on the other side; the whole must agree before it takes its name.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

from idiolect.errors import RunFailed
from idiolect.files import remove
from idiolect.machines.connection import output_of

if TYPE_CHECKING:
    import asyncssh

_CHUNK = 4 << 20
_ALL = 1 << 62
#: Prints the SHA-256 of the first so many bytes of a file, or of all of it.
_FAR_SHA256 = """
import hashlib, sys
left, digest = int(sys.argv[2]), hashlib.sha256()
with open(sys.argv[1], "rb") as file:
    while left and (part := file.read(min(left, 1 << 20))):
        digest.update(part)
        left -= len(part)
print(digest.hexdigest())
"""
#: Path and size of each file below a folder.
_FAR_LIST = """
import os, sys
for parent, _, files in os.walk(sys.argv[1]):
    for name in sorted(files):
        path = os.path.join(parent, name)
        print(os.path.getsize(path), os.path.relpath(path, sys.argv[1]), sep="\\t")
"""
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Far:
    """The other side: a connection, and the Python there."""

    connection: asyncssh.SSHClientConnection
    python: str

    async def sha256(self, path: str, count: int = _ALL) -> str:
        """Return the digest of the first `count` bytes of a file there, or of all of it."""
        return (await output_of(self.connection, self.python, "-", path, str(count), stdin=_FAR_SHA256)).strip()


async def send_folder(far: Far, local: Path, folder: str, progress: Progress) -> None:
    """Send all files below a folder; those that are there already, byte for byte, are not sent again."""
    files = [f for f in sorted(local.rglob("*")) if f.is_file()]
    total, done = sum(f.stat().st_size for f in files), 0
    for file in files:
        await send(far, file, f"{folder}/{file.relative_to(local)}", _after(done, total, progress))
        done += file.stat().st_size


async def fetch_folder(far: Far, folder: str, local: Path, progress: Progress) -> None:
    """Fetch all files below a folder there."""
    listed = (await output_of(far.connection, far.python, "-", folder, stdin=_FAR_LIST)).splitlines()
    files = [(int(size), name) for size, _, name in (line.partition("\t") for line in listed)]
    total, done = sum(size for size, _ in files), 0
    for size, name in files:
        await fetch(far, f"{folder}/{name}", local / name, _after(done, total, progress))
        done += size


async def send(far: Far, local: Path, path: str, progress: Callable[[int], None]) -> None:
    """Send one file to `path`. Raises RunFailed if what arrived is not what was sent."""
    size, partial = local.stat().st_size, f"{path}.partial"
    async with far.connection.start_sftp_client() as sftp:
        whole_one = _sha256(local, size)
        if await sftp.exists(path) and await far.sha256(path) == whole_one:
            progress(size)
            return
        await sftp.makedirs(path.rpartition("/")[0], exist_ok=True)
        begun = (await sftp.getsize(partial) or 0) if await sftp.exists(partial) else 0
        if begun and (begun > size or await far.sha256(partial, begun) != _sha256(local, begun)):
            begun = 0
        async with sftp.open(partial, "r+b" if begun else "wb") as there:
            with local.open("rb") as here:
                here.seek(begun)
                while part := here.read(_CHUNK):
                    await there.write(part, begun)
                    begun += len(part)
                    progress(begun)
        if await far.sha256(partial) != whole_one:
            await sftp.remove(partial)
            raise RunFailed(f"{local} arrived altered on the other computer.", "Try again; what is done is kept.")
        await sftp.posix_rename(partial, path)


async def fetch(far: Far, path: str, local: Path, progress: Callable[[int], None]) -> None:
    """Fetch one file. Raises RunFailed if what arrived is not what was there."""
    local.parent.mkdir(parents=True, exist_ok=True)
    partial = local.with_name(f"{local.name}.partial")
    async with far.connection.start_sftp_client() as sftp:
        whole_one = await far.sha256(path)
        begun = partial.stat().st_size if partial.exists() else 0
        if begun and await far.sha256(path, begun) != _sha256(partial, begun):
            begun = 0
        async with sftp.open(path, "rb") as there:
            with partial.open("r+b" if begun else "wb") as here:
                here.seek(begun)
                while part := await there.read(_CHUNK, begun):
                    here.write(cast("bytes", part))
                    begun += len(part)
                    progress(begun)
                here.truncate()
    if _sha256(partial, begun) != whole_one:
        remove(partial)
        raise RunFailed(f"{path} arrived altered.", "Try again; what is done is kept.")
    partial.replace(local)


def _after(done: int, total: int, progress: Progress) -> Callable[[int], None]:
    return lambda moved: progress(done + moved, total)


def _sha256(path: Path, count: int) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while count and (part := file.read(min(count, 1 << 20))):
            digest.update(part)
            count -= len(part)
    return digest.hexdigest()
