"""Kills a process at its first deed of a kind that nobody was killed at before. Python imports this at its start.

Deeds are what CPython's audit events tell of (PEP 578): a file of the watched folder opened to be written, renamed or
removed, a folder made. KILL_ROOT is that folder, KILL_ONLY an expression for the deeds that count, KILL_SEEN a file
with a line for each deed that was somebody's last.
"""

from __future__ import annotations

import os
import re
import signal
import sys
from typing import Any

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT
_DEEDS = {"open", "os.rename", "os.mkdir", "os.remove", "os.rmdir"}
_NAMES = re.compile(r"\d{4}-\d{2}-\d{2}(-\d{6}-[0-9a-f]{6})?|(?<=\.)\d+(?=\.partial)")


def kill_at(deed: str) -> None:
    """End this process, as by kill -9, unless one was ended at this deed before."""
    seen = os.environ["KILL_SEEN"]
    deed = _NAMES.sub("*", deed)
    if not re.search(os.environ["KILL_ONLY"], deed):
        return
    with open(seen, "a+", encoding="utf-8") as file:  # noqa: PTH123 - the least that a start-up file can load
        file.seek(0)
        if deed not in file.read().splitlines():
            file.write(deed + "\n")
            file.flush()
            os.kill(os.getpid(), signal.SIGKILL)


def watch() -> None:
    root = os.environ["KILL_ROOT"] + os.sep

    def hook(event: str, given: tuple[Any, ...]) -> None:
        if event not in _DEEDS or not isinstance(given[0], str | os.PathLike):
            return
        path = os.fspath(given[0])
        reads = event == "open" and not (given[2] & _WRITING)
        nothing = event == "os.remove" and not os.path.lexists(path)
        if isinstance(path, str) and path.startswith(root) and not reads and not nothing:
            kill_at(f"{event} {path.removeprefix(root)}")

    sys.addaudithook(hook)


if "KILL_ROOT" in os.environ:
    watch()
