"""`python -m idiolect.workflow.alone HOME PERSON LABEL` goes on with one run, in a process of its own.

So do workers: the run's memory is given back, its fall harms nobody, and a worker that is killed leaves it running.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from idiolect.errors import IdiolectError
from idiolect.home import Home
from idiolect.workflow.archive.runs import run_of
from idiolect.workflow.cycle import carry_on
from idiolect.workflow.records.events import write_line

_LOOK_SECONDS = 0.3


def begin(home: Home, person: str, label: str) -> subprocess.Popen[bytes]:
    """Start the process. It is a session of its own, so that a terminal's Ctrl-C reaches it through us alone."""
    command = [sys.executable, "-m", "idiolect.workflow.alone", str(home.root), person, label]
    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


class Stopped(BaseException):
    """The worker stops; the run is to go on elsewhere. Not an Exception: that would be the run's own end."""


def carry_out_alone(stop: threading.Event) -> Callable[[Home, str, str], None]:
    """Return what carries out one run in a process of its own, and interrupts it when `stop` is set."""

    def carry_out(home: Home, person: str, label: str) -> None:
        job = begin(home, person, label)
        while job.poll() is None:
            if stop.wait(_LOOK_SECONDS):
                job.terminate()
                job.wait()
                raise Stopped

    return carry_out


def main() -> int:
    home, person, label = Home(Path(sys.argv[1])), sys.argv[2], sys.argv[3]
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        carry_on(home, person, label, lambda _: None, wait=True)
    except IdiolectError as error:
        # What is refused before the first step has no summary; the run's log says it.
        write_line(run_of(home, person, label).log, f"ended: {type(error).__name__}: {error.problem} {error.remedy}")
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    return os.EX_OK


if __name__ == "__main__":
    sys.exit(main())
