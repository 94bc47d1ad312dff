"""Runs a cycle in a process that is killed again and again, each time at a new point, until nothing is left to kill.

    python -m tests.workflow.killed HOME PERSON CYCLE

A point is what a cycle tells (`tell` is there for programs like this), or a deed on the disk, of this process or of the
one that trains: see kill_hook/sitecustomize.py, also for what is read from the environment.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from idiolect.errors import RunFailed
from idiolect.home import CYCLES, Home
from idiolect.training import HeldOut, Stepped
from idiolect.workflow.archive.runs import state
from idiolect.workflow.cycle import resume, run_cycle
from idiolect.workflow.planning.plan import Asked
from idiolect.workflow.records.events import Began, Ended, Written
from tests.workflow.kill_hook.sitecustomize import kill_at, watch

MOST = 300
TRAINING_WAS_KILLED = 9


def main() -> None:
    home, person, cycle = Home(Path(sys.argv[1])), sys.argv[2], CYCLES[sys.argv[3]]
    for _ in range(MOST):
        child = os.fork()
        if child == 0:
            _go_on(home, person, cycle.name)
        ended = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        if ended == 0:
            return
        if ended not in (-signal.SIGKILL, TRAINING_WAS_KILLED):
            sys.exit(f"ended with {ended}")
    sys.exit(f"killed {MOST} times, and it still does something new")


def _go_on(home: Home, person: str, cycle: str) -> None:
    profile = home.profile(person)
    os.environ["KILL_ROOT"] = str(profile.root)
    watch()
    try:
        if any(state(run) == "succeeded" for run in profile.runs()):
            os._exit(0)
        if any(run.journal.exists() for run in profile.runs()):
            resume(home, person, None, _tell)
        else:
            run_cycle(home, Asked(person, {}, {}), CYCLES[cycle], _tell)
    except RunFailed:
        os._exit(TRAINING_WAS_KILLED)
    os._exit(0)


def _tell(event: object) -> None:
    match event:
        case Began(step) | Ended(step, now=True):
            kill_at(f"{type(event).__name__} {step}")
        case Stepped(step) if step in (3, 11):
            kill_at(f"step {step} of training")
        case HeldOut(epoch):
            kill_at(f"held-out loss of epoch {epoch:g}")
        case Written(done, total) if 0.3 < done / total < 0.9:
            kill_at("the model file half written")


if __name__ == "__main__":
    main()
