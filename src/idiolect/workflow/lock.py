"""One run of a person at a time: a lock that the system lets go of when its holder dies, however it dies."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import msgspec

from idiolect.errors import UserFault
from idiolect.home import Profile


@contextmanager
def only_run(profile: Profile, label: str) -> Iterator[None]:
    """Hold a person's lock. Raises UserFault, saying who holds it, if another process does."""
    profile.lock.parent.mkdir(parents=True, exist_ok=True)
    with profile.lock.open("a+b") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UserFault(
                f"A run of {profile.person} is going on: {_holder(profile)}.",
                "Wait until it has ended, or stop it; what it did is kept.",
            ) from None
        file.truncate(0)
        file.write(msgspec.json.encode({"label": label, "process": os.getpid(), "since": datetime.now(UTC)}))
        file.flush()
        yield


def _holder(profile: Profile) -> str:
    try:
        holder: Any = msgspec.json.decode(profile.lock.read_bytes())
        return f"{holder['label']}, process {holder['process']}, since {holder['since'][:19]} UTC"
    except (OSError, msgspec.DecodeError, LookupError, TypeError):
        return "it has just begun"
