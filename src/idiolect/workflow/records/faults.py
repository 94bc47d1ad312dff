"""How a run ends that does not succeed: its log and the audit say it, and the disk's faults get names."""

from __future__ import annotations

import errno
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from idiolect.errors import IdiolectError, MachineFault, NoRoom, RunCancelled
from idiolect.home import Profile, Run
from idiolect.workflow.records.audit import audit
from idiolect.workflow.records.events import write_line

_FULL = {errno.ENOSPC, errno.EDQUOT}
_CLOSED = {errno.EROFS, errno.EACCES, errno.EPERM}


def audited(run: Run) -> str:
    """Return what MetaHuman OS calls this cycle in its audit: full_cycle, fine_tune_cycle."""
    return run.cycle.name.replace("-", "_")


@contextmanager
def telling_of_faults(profile: Profile, run: Run) -> Iterator[None]:
    """Write down how a run ended that did not succeed. A full disk and a closed folder become errors of ours."""
    try:
        yield
    except BaseException as error:
        fault = _named(error, _left(profile, run))
        ending = "cancelled" if isinstance(error, RunCancelled) else "failed"
        # On the disk that is full the fault itself cannot be written down; it is raised all the same.
        with suppress(OSError):
            write_line(run.log, _line(error))
            details = {"run": run.label, "error": type(error).__name__}
            audit(profile, f"{audited(run)}_{ending}", details, level="error")
        if fault:
            raise fault from error
        raise


def _left(profile: Profile, run: Run) -> str:
    """Say how to use the model file of a run that was made and checked before it ended."""
    if not run.usable.exists():
        return ""
    where = f"{run.label} --username {profile.person}"
    return f" Its model file is there: idiolect chat --run {where}; idiolect promote {where}"


def _named(error: BaseException, left: str) -> IdiolectError | None:
    """Return what a person can do something about, for an error of the disk."""
    if not isinstance(error, OSError):
        return None
    where, again = error.filename or "a file", f"idiolect runs resume.{left}"
    if error.errno in _FULL:
        return NoRoom(f"The disk became full while {where} was written.", f"Free some room; then: {again}")
    if error.errno in _CLOSED:
        return MachineFault(f"{where}: {error.strerror}.", f"Mend that; then: {again}")
    return None


def _line(error: BaseException) -> str:
    """Say what ended a run; of an unexpected error where it came from, but not its text, which may be a memory's."""
    match error:
        case KeyboardInterrupt():
            return "interrupted"
        case IdiolectError():
            return f"{type(error).__name__}: {error.problem}"
        case OSError():
            return f"{type(error).__name__}: {error.strerror}"
        case _:
            return f"{type(error).__name__}\n{''.join(traceback.format_tb(error.__traceback__))}"
