"""A GPU is used by one run at a time: each has a lock on its machine, which falls with the process that holds it."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from idiolect.machines import on_site
from idiolect.training import Event, Note

_POLL_SECONDS = 1.0


@contextmanager
def own_gpus(report: Callable[[Event], None]) -> Iterator[Mapping[str, str]]:
    """Hold all GPUs that may be used and are free, having waited for one; yield the environment that shows these only.

    Without a GPU (that nvidia-smi knows) there is nothing to wait for, and nothing to say in the environment.
    """
    names = list(gpus())
    if not names:
        yield {}
        return
    held = _all_locked(names)
    if not held:
        report(Note(f"Waiting for a GPU: {len(names)} may be used, and all are in use."))
    while not held:
        time.sleep(_POLL_SECONDS)
        held = _all_locked(names)
    try:
        yield {"CUDA_VISIBLE_DEVICES": ",".join(held)}
    finally:
        for lock in held.values():
            os.close(lock)


def _all_locked(names: Sequence[str]) -> dict[str, int]:
    locks = {name: _locked(name) for name in names}
    return {name: lock for name, lock in locks.items() if lock is not None}


def gpus() -> dict[str, int]:
    """Return the GPUs that this process may use by UUID, CUDA_VISIBLE_DEVICES heeded, and their memory in bytes.

    Numbers in that variable are taken in the order of nvidia-smi, which is that of the PCI bus. The memory of a part of
    a GPU, which nvidia-smi does not list, is not known: 0.
    """
    if not shutil.which("nvidia-smi"):
        return {}
    found = on_site.gpus()
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is None:
        return found
    chosen = [v.strip() for v in visible.split(",") if v.strip()]
    by_number = {str(number): uuid for number, uuid in enumerate(found)}
    names = [by_number.get(c, c) for c in chosen if c in by_number or not c.lstrip("-").isdigit()]
    return {name: found.get(name, 0) for name in names}


def _locked(name: str) -> int | None:
    """Lock a GPU for everybody on this machine, whatever their home; return None if somebody holds it."""
    path = Path(tempfile.gettempdir()) / f"idiolect-{name}.lock"
    try:
        file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    except FileNotFoundError:
        file = os.open(path, os.O_RDONLY | os.O_CREAT | os.O_NOFOLLOW, 0o644)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(file)
        return None
    return file
