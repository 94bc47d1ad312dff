"""Room on the disk: asked for before anything is written, and a clear word if it ends all the same."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from idiolect.errors import NoRoom

DISK_IS_FULL = {
    errno.ENOSPC,
    errno.EDQUOT,
    errno.EFBIG,
}  # the last: more than the file system allows one file


@contextmanager
def room_for(target: Path, needed: int) -> Iterator[None]:
    """Raise NoRoom unless `needed` bytes are free where `target` will stand, or if the disk becomes full meanwhile."""
    target.parent.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(target.parent).free
    if free < needed:
        raise NoRoom(
            f"{target} will take {needed / 1e9:.1f} GB, and its disk has {free / 1e9:.1f} GB free.",
            "Free some space, or choose a smaller quantization.",
        )
    try:
        yield
    except OSError as full:
        if full.errno not in DISK_IS_FULL:
            raise
        raise NoRoom(f"The disk became full while {target} was written.", "Free some space and try again.") from full
