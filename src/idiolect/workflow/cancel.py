"""To cancel a run, wherever it is: a file in its work folder, which the process that carries it out looks for."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from idiolect.errors import IdiolectError, MachineFault, RunCancelled, UserFault
from idiolect.files import write_json
from idiolect.home import Profile, Run
from idiolect.workflow.archive.runs import state
from idiolect.workflow.planning.plan import Asked, plan_data, plan_target
from idiolect.workflow.planning.where import described
from idiolect.workflow.records.audit import audit
from idiolect.workflow.records.journal import read_journal
from idiolect.workflow.records.lock import Holder, holder

_LOOK_SECONDS = 0.3
#: A run ends within a second or two; after so many it is killed, which does it no harm.
PATIENCE_SECONDS = 20.0


def cancel(profile: Profile, run: Run) -> str:
    """Mark a run as cancelled, and return, in a line, what became of it: it has ended when this returns.

    A job that goes on elsewhere is ended, too. Raises UserFault if the run has ended already, or goes on on another
    machine that does not listen, and MachineFault if its job elsewhere cannot be ended.
    """
    if run.summary.exists():
        raise UserFault(f"Run {run.label} has ended already.", "Only a run that goes on, waits or was stopped can be.")
    write_json(run.cancelled, {"at": datetime.now(UTC)})
    audit(profile, "run_cancelled", {"run": run.label})
    outcome = _stopped_here(profile, run)
    return " ".join(filter(None, (outcome, _stopped_elsewhere(profile, run))))


def _stopped_here(profile: Profile, run: Run) -> str:
    running = _holder_of(profile, run)
    if running is None:
        return "It was not going on; it will not."
    if _ended_within(PATIENCE_SECONDS, profile, run):
        if run.summary.exists() and state(run) == "succeeded":
            raise UserFault(f"Run {run.label} has come to its end meanwhile.", "Its model is there: idiolect runs")
        return f"Process {running.process} has stopped it."
    if running.host != socket.gethostname():
        raise UserFault(f"Run {run.label} was told to end, and has not: {running}.", f"Look for it on {running.host}.")
    os.kill(running.process, signal.SIGKILL)
    _ended_within(PATIENCE_SECONDS, profile, run)
    return f"Process {running.process} did not answer and was killed."


def _stopped_elsewhere(profile: Profile, run: Run) -> str:
    """End the job that a run may have on another machine, with its checkpoints fetched; say so.

    Raises MachineFault where that cannot be done: the run is cancelled, and its job is not.
    """
    if not run.bundle.exists():
        return ""
    journal = read_journal(run.journal)
    asked = Asked(profile.person, journal.environ, journal.flags)
    try:
        data = plan_data(profile.home, asked, run.cycle)
        base = plan_target(profile.home, data).base
        return described(profile.home, profile, data.options, run.cycle.trains, base).end(run, base.folder)
    except IdiolectError as fault:
        raise MachineFault(
            f"Run {run.label} is cancelled, but what it may have left on its machine could not be ended: "
            f"{fault.problem}",
            f"{fault.remedy} Then cancel it again.",
        ) from fault


@contextmanager
def cancellable(run: Run) -> Iterator[None]:
    """Raise RunCancelled out of the block when the run is cancelled.

    The block is interrupted as by Ctrl-C, which Python can do to a process' main thread only; elsewhere a run ends
    where it would be begun or be gone on with.
    """
    ended = threading.Event()
    watcher = threading.Thread(target=_watch, args=(run.cancelled, ended), daemon=True)
    if threading.current_thread() is threading.main_thread():
        # A shell's background process ignores Ctrl-C; this one is to listen.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        watcher.start()
    try:
        check(run)
        yield
    except KeyboardInterrupt:
        check(run)
        raise
    finally:
        ended.set()


def check(run: Run) -> None:
    """Raise RunCancelled if the run is."""
    if run.cancelled.exists():
        raise RunCancelled(
            f"Run {run.label} was cancelled.",
            f"What it did is kept; if it is to go on after all: idiolect runs resume {run.label}",
        )


def _watch(asked: Path, ended: threading.Event) -> None:
    while not ended.wait(_LOOK_SECONDS):
        if asked.exists():
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
            return


def _holder_of(profile: Profile, run: Run) -> Holder | None:
    found = holder(profile)
    return found if found and found.label == run.label else None


def _ended_within(seconds: float, profile: Profile, run: Run) -> bool:
    until = time.monotonic() + seconds
    while _holder_of(profile, run):
        if time.monotonic() > until:
            return False
        time.sleep(_LOOK_SECONDS)
    return True
