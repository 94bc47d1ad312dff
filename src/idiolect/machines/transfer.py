"""Files to another computer and back: checksummed, and resumed in the middle.

A file grows beside its place, as `<name>.<who>.partial` there, so that two who send the same file do not meet, and as
`<name>.partial` here. What is there already is kept if its SHA-256 is that of the same
stretch on the other side; the whole must agree before it takes its name. What comes here comes through arrivals.py.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar, cast

from idiolect.arrivals import PARTIAL, Arrival, Refused, announced
from idiolect.errors import NoRoom, RunFailed
from idiolect.machines import on_site
from idiolect.machines.connection import FarFault, output_of

if TYPE_CHECKING:
    import asyncssh

_CHUNK = 4 << 20
#: So long a chunk may be under way: at 14 kB/s it is not.
_CHUNK_SECONDS = 300
#: What reads every byte of a model there: thirty gigabytes from a slow disk.
_READ_ALL_SECONDS = 1800
Progress = Callable[[int, int], None]
_T = TypeVar("_T")


@dataclass(frozen=True)
class Far:
    """The other side: a connection, and the Python there."""

    connection: asyncssh.SSHClientConnection
    python: str
    who: str = "us"
    """The job that sends: the same one after an interruption, another one for another run."""
    host: str = "the other computer"

    async def does(self, *words: str) -> list[str]:
        """Do there what on_site.py can do; return the lines that it prints."""
        script = Path(on_site.__file__).read_text(encoding="utf-8")
        said = await output_of(self.connection, self.python, "-", *words, stdin=script, seconds=_READ_ALL_SECONDS)
        return said.splitlines()

    async def says(self, *words: str) -> str:
        """Do there what on_site.py answers in one line; return that line."""
        return "".join((await self.does(*words))[-1:])

    async def sha256(self, path: str, count: int | None = None) -> str:
        """Return the digest of the first `count` bytes of a file there, or of all of it."""
        return await self.says("sha256", path, *([] if count is None else [str(count)]))


async def send_folder(far: Far, local: Path, folder: str, progress: Progress) -> None:
    """Send all files below a folder; those that are there already, byte for byte, are not sent again."""
    files = [f for f in sorted(local.rglob("*")) if f.is_file() and not _half(f.relative_to(local))]
    total, done = sum(f.stat().st_size for f in files), 0
    for file in files:
        await send(far, file, f"{folder}/{file.relative_to(local)}", _after(done, total, progress))
        done += file.stat().st_size


async def fetch_folder(far: Far, folder: str, local: Path, progress: Progress) -> None:
    """Fetch all files below a folder there; those that are here already, byte for byte, are not fetched again.

    Raises RunFailed where the other side names a file that would lie elsewhere, or sends another than it has named,
    and NoRoom before the first byte of more than this disk has room for.
    """
    with _strangeness_told(far):
        files = [Arrival(local, file) for file in announced(await far.does("list", folder))]
        total, done = sum(a.file.size for a in files), 0
        missing = [a for a in files if not a.is_here]
        _check_room(local, sum(a.file.size for a in missing))
        async with far.connection.start_sftp_client() as sftp:
            for arrival in files:
                if arrival in missing:
                    there = f"{folder}/{arrival.file.name}"
                    await _fetch(far, sftp, there, arrival, _after(done, total, progress))
                done += arrival.file.size
                progress(done, total)


def _check_room(folder: Path, needed: int) -> None:
    standing = next(f for f in (folder, *folder.parents) if f.exists())
    if needed > (free := shutil.disk_usage(standing).free):
        raise NoRoom(
            f"The other computer has {needed / 1e9:,.1f} GB to fetch, and {standing} has room for {free / 1e9:,.1f}.",
            "Free some room, then: idiolect runs resume",
        )


async def send(far: Far, local: Path, path: str, progress: Callable[[int], None]) -> None:
    """Send one file to `path`. Raises RunFailed if it cannot be written, or is not what was sent."""
    async with far.connection.start_sftp_client() as sftp:
        with _refusals_told(path):
            await _send(far, sftp, local, _There(path, on_site.sha256(local)), progress)


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
                await _in_time(there.write(part, begun), file.path)
                begun += len(part)
                progress(begun)
    if await far.sha256(partial) != file.sha256:
        await sftp.remove(partial)
        raise RunFailed(f"{local} arrived altered on the other computer.", "Try again; what is done is kept.")
    await sftp.posix_rename(partial, file.path)


async def _fetch(
    far: Far, sftp: asyncssh.SFTPClient, path: str, arrival: Arrival, progress: Callable[[int], None]
) -> None:
    with arrival as file:
        if file.begun and await far.sha256(path, file.begun) != file.sha256:
            file.restart()
        async with sftp.open(path, "rb") as there:
            while part := await _in_time(there.read(_CHUNK, file.begun), path):
                file.write(cast("bytes", part))
                progress(file.begun)


async def _in_time(moving: Awaitable[_T], path: str) -> _T:
    """Wait for a chunk. Raises FarFault if it does not come, or go, in any useful time."""
    try:
        return await asyncio.wait_for(moving, _CHUNK_SECONDS)
    except TimeoutError as error:
        raise FarFault(
            f"{path} does not move any more.", "Look at that computer; then: idiolect runs resume"
        ) from error


@contextmanager
def _strangeness_told(far: Far) -> Iterator[None]:
    """Raise RunFailed where the other computer has sent what is not taken, or refuses to give it."""
    import asyncssh

    try:
        yield
    except Refused as error:
        raise RunFailed(
            f"What {far.host} sends is not taken: {error}.", "If that computer is in order, go on: idiolect runs resume"
        ) from error
    except (asyncssh.SFTPConnectionLost, asyncssh.SFTPNoConnection):
        raise
    except asyncssh.SFTPError as error:
        raise RunFailed(
            f"{far.host} does not give its files: {error.reason}.", "Try again; what is done is kept."
        ) from error


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
    return any(part.endswith(PARTIAL) for part in file.parts)


def _after(done: int, total: int, progress: Progress) -> Callable[[int], None]:
    return lambda moved: progress(done + moved, total)
