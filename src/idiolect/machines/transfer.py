"""Files to another computer and back: checksummed, and resumed in the middle.

A file grows beside its place, as `<name>.<who>.partial` there, so that two who send the same file do not meet, and as
`<name>.partial` here. What is there already is kept if its SHA-256 is that of the same
stretch on the other side; the whole must agree before it takes its name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

from idiolect.errors import RunFailed
from idiolect.files import remove
from idiolect.machines import on_site
from idiolect.machines.connection import output_of

if TYPE_CHECKING:
    import asyncssh

_CHUNK = 4 << 20
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Far:
    """The other side: a connection, and the Python there."""

    connection: asyncssh.SSHClientConnection
    python: str
    who: str = "us"
    """The job that sends: the same one after an interruption, another one for another run."""

    async def does(self, *words: str) -> list[str]:
        """Do there what on_site.py can do; return the lines that it prints."""
        script = Path(on_site.__file__).read_text(encoding="utf-8")
        return (await output_of(self.connection, self.python, "-", *words, stdin=script)).splitlines()

    async def sha256(self, path: str, count: int | None = None) -> str:
        """Return the digest of the first `count` bytes of a file there, or of all of it."""
        return (await self.does("sha256", path, *([] if count is None else [str(count)])))[0]


async def send_folder(far: Far, local: Path, folder: str, progress: Progress) -> None:
    """Send all files below a folder; those that are there already, byte for byte, are not sent again."""
    files = [f for f in sorted(local.rglob("*")) if f.is_file() and not _half(f.relative_to(local))]
    total, done = sum(f.stat().st_size for f in files), 0
    for file in files:
        await send(far, file, f"{folder}/{file.relative_to(local)}", _after(done, total, progress))
        done += file.stat().st_size


async def fetch_folder(far: Far, folder: str, local: Path, progress: Progress) -> None:
    """Fetch all files below a folder there; those that are here already, byte for byte, are not fetched again."""
    listed = [line.split("\t", 2) for line in await far.does("list", folder)]
    total, done = sum(int(size) for size, _, _ in listed), 0
    async with far.connection.start_sftp_client() as sftp:
        for size, digest, name in listed:
            there, here = _There(f"{folder}/{name}", digest), local / name
            if not (here.exists() and on_site.sha256(here) == digest):
                await _fetch(far, sftp, there, here, _after(done, total, progress))
            done += int(size)
            progress(done, total)


async def send(far: Far, local: Path, path: str, progress: Callable[[int], None]) -> None:
    """Send one file to `path`. Raises RunFailed if it cannot be written, or is not what was sent."""
    async with far.connection.start_sftp_client() as sftp:
        with _refusals_told(path):
            await _send(far, sftp, local, _There(path, on_site.sha256(local)), progress)


async def fetch(far: Far, path: str, local: Path, progress: Callable[[int], None]) -> None:
    """Fetch one file. Raises RunFailed if what arrived is not what was there."""
    async with far.connection.start_sftp_client() as sftp:
        await _fetch(far, sftp, _There(path, await far.sha256(path)), local, progress)


@dataclass(frozen=True)
class _There:
    """A file on the other side, and the digest of all of it."""

    path: str
    sha256: str


async def _send(
    far: Far, sftp: asyncssh.SFTPClient, local: Path, file: _There, progress: Callable[[int], None]
) -> None:
    size, partial = local.stat().st_size, f"{file.path}.{far.who}.partial"
    if await sftp.exists(file.path) and await far.sha256(file.path) == file.sha256:
        progress(size)
        return
    await sftp.makedirs(file.path.rpartition("/")[0], exist_ok=True)
    begun = (await sftp.getsize(partial) or 0) if await sftp.exists(partial) else 0
    if begun and (begun > size or await far.sha256(partial, begun) != on_site.sha256(local, begun)):
        begun = 0
    async with sftp.open(partial, "r+b" if begun else "wb") as there:
        with local.open("rb") as here:
            here.seek(begun)
            while part := here.read(_CHUNK):
                await there.write(part, begun)
                begun += len(part)
                progress(begun)
    if await far.sha256(partial) != file.sha256:
        await sftp.remove(partial)
        raise RunFailed(f"{local} arrived altered on the other computer.", "Try again; what is done is kept.")
    await sftp.posix_rename(partial, file.path)


async def _fetch(
    far: Far, sftp: asyncssh.SFTPClient, file: _There, local: Path, progress: Callable[[int], None]
) -> None:
    local.parent.mkdir(parents=True, exist_ok=True)
    partial = local.with_name(f"{local.name}.partial")
    begun = partial.stat().st_size if partial.exists() else 0
    if begun and await far.sha256(file.path, begun) != on_site.sha256(partial):
        begun = 0
    async with sftp.open(file.path, "rb") as there:
        with partial.open("r+b" if begun else "wb") as here:
            here.seek(begun)
            while part := await there.read(_CHUNK, begun):
                here.write(cast("bytes", part))
                begun += len(part)
                progress(begun)
            here.truncate()
    if on_site.sha256(partial) != file.sha256:
        remove(partial)
        raise RunFailed(f"{file.path} arrived altered.", "Try again; what is done is kept.")
    partial.replace(local)


@contextmanager
def _refusals_told(path: str) -> Iterator[None]:
    """Raise RunFailed where the other computer refuses something of a file; a lost connection stays what it is."""
    import asyncssh

    try:
        yield
    except (asyncssh.SFTPConnectionLost, asyncssh.SFTPNoConnection):
        raise
    except asyncssh.SFTPError as error:
        raise RunFailed(
            f"{path} could not be written on the other computer: {error.reason}.",
            "See whether there is room on its disk, then go on: idiolect runs resume",
        ) from error


def _half(file: Path) -> bool:
    """Whether a file is, or lies in, something that has not been written or fetched to its end."""
    return any(part.endswith(".partial") for part in file.parts)


def _after(done: int, total: int, progress: Progress) -> Callable[[int], None]:
    return lambda moved: progress(done + moved, total)
