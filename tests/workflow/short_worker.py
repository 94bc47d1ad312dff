"""A worker as `idiolect worker` is one, but for its runs: their data steps alone, in its own process, and a pause.

    python -m tests.workflow.short_worker HOME SECONDS [QUEUE ...]

So short that many of them can be watched; queue, journal, lock, calendar and audit are the real ones.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from idiolect.home import CYCLES, Home
from idiolect.workflow.archive.runs import run_of, state
from idiolect.workflow.calendar.queue import QUEUES
from idiolect.workflow.calendar.worker import Work, serve
from idiolect.workflow.cycle import STEPS, Step, carry_out
from idiolect.workflow.planning.plan import Asked, plan
from idiolect.workflow.records.journal import read_journal
from idiolect.workflow.records.lock import only_run


def short_steps(pause: float) -> Mapping[str, Step]:
    def wait(*_: object) -> str:
        time.sleep(pause)
        return "waited"

    data = {name: STEPS[name] for name in ("curate", "format", "schema", "export")}
    return {**data, "wait": Step(wait, lambda _: {}, lambda _: [])}


def carry_out_short(pause: float, home: Home, person: str, label: str) -> None:
    with only_run(home.profile(person), label, lambda _: None):
        run = run_of(home, person, label)
        if state(run) != "succeeded":
            journal = read_journal(run.journal)
            decided = plan(home, Asked(person, journal.environ, journal.flags), CYCLES[journal.cycle], label)
            carry_out(decided, journal, lambda _: None, short_steps(pause))


def main() -> None:
    home, pause, queues = Home(Path(sys.argv[1])), float(sys.argv[2]), sys.argv[3:] or list(QUEUES)
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    work = Work(home, queues, partial(carry_out_short, pause), lambda _: None)
    serve(work, stop, os.environ, every_seconds=0.5)


if __name__ == "__main__":
    main()
