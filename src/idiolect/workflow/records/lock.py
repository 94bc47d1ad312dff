"""One run of a person at a time, and one publication: locks that the system lets go of when their holder dies."""

from __future__ import annotations

import fcntl
import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import BinaryIO

import msgspec

from idiolect.errors import UserFault
from idiolect.files import decode_json, make_folder
from idiolect.home import Profile

_POLL_SECONDS = 0.2
#: Who looks whether a lock is held holds it for an instant; nobody is refused for that.
_GRACE_SECONDS = 1.0


class Holder(msgspec.Struct, frozen=True):
    """Who holds a lock, or held it when it died."""

    label: str
    process: int
    host: str
    since: datetime

    def __str__(self) -> str:
        where = "" if self.host == socket.gethostname() else f" on {self.host}"
        return f"{self.label}, process {self.process}{where}, since {self.since:%Y-%m-%d %H:%M:%S} UTC"


@contextmanager
def only_run(
    profile: Profile, label: str, waiting: Callable[[Holder | None], None] | None = None
) -> Iterator[Holder | None]:
    """Hold a person's lock; yield who held it last, if they died holding it.

    With `waiting`, wait as long as another holds it, having told who that is; without, raise UserFault that says so.
    The lock is flock's: also between machines, if the file system that they share carries it over (NFSv4 does).
    """
    make_folder(profile.lock.parent)
    with profile.lock.open("a+b") as file:
        stop = "Wait for it with --wait, or stop it with `idiolect runs cancel`; what it did is kept."
        _take(file, f"A run of {profile.person} is going on", stop, waiting)
        died = _read(file)
        _write(file, msgspec.json.encode(Holder(label, os.getpid(), socket.gethostname(), datetime.now(UTC))))
        try:
            yield died
        finally:
            _write(file, b"")


def holder(profile: Profile) -> Holder | None:
    """Return who holds a person's lock now."""
    try:
        with profile.lock.open("rb") as file:
            return None if _free(file, fcntl.LOCK_SH) else _read(file)
    except FileNotFoundError:
        return None


@contextmanager
def only_publication(profile: Profile, label: str) -> Iterator[None]:
    """Hold the lock of a person's registry. Raises UserFault, saying who holds it, if somebody does."""
    make_folder(profile.registry_lock.parent)
    with profile.registry_lock.open("a+b") as file:
        _take(file, f"A model of {profile.person} is being published", "Wait until it is.", None)
        _write(file, msgspec.json.encode(Holder(label, os.getpid(), socket.gethostname(), datetime.now(UTC))))
        yield


@contextmanager
def only_editor(profile: Profile) -> Iterator[None]:
    """Hold the lock of a person's edits, for the moment in which they are written anew."""
    make_folder(profile.edits_lock.parent)
    with profile.edits_lock.open("a+b") as file:
        _take(file, f"The edits of {profile.person} are being written", "Try again in a moment.", None)
        yield


@contextmanager
def no_other_run(profile: Profile) -> Iterator[str | None]:
    """Keep runs from beginning; yields the label of the one that is going on already, if one is."""
    make_folder(profile.lock.parent)
    with profile.lock.open("a+b") as file:
        if _free(file, fcntl.LOCK_SH):
            yield None
            return
        going_on = _read(file)
        if going_on is None:
            raise UserFault(f"A run of {profile.person} has just begun.", "Try again in a moment.")
        yield going_on.label


def _take(file: BinaryIO, going_on: str, remedy: str, waiting: Callable[[Holder | None], None] | None) -> None:
    began, told = time.monotonic(), False
    while not _free(file, fcntl.LOCK_EX):
        if time.monotonic() - began > _GRACE_SECONDS and not told:
            if waiting is None:
                raise UserFault(f"{going_on}: {_read(file) or 'it has just begun'}.", remedy)
            waiting(_read(file))
            told = True
        time.sleep(_POLL_SECONDS)


def _free(file: BinaryIO, kind: int) -> bool:
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _read(file: BinaryIO) -> Holder | None:
    """Read who wrote into the lock last; a write that a kill cut off is nobody's."""
    file.seek(0)
    try:
        return decode_json(file.read(1 << 16), Holder)
    except ValueError:
        return None


def _write(file: BinaryIO, content: bytes) -> None:
    file.truncate(0)
    file.write(content)
    file.flush()
