"""A job on any computer that answers ssh: sent there, trained there detached, fetched, and wiped there."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

from idiolect.errors import IdiolectError, RunFailed
from idiolect.files import remove, sha256
from idiolect.machines import far_job, transfer
from idiolect.machines.connection import FarFault, Unreachable, connected, exists, run
from idiolect.machines.described import SshBox
from idiolect.machines.far_job import FarJob, Heard
from idiolect.machines.installation import FarSide, install, look
from idiolect.machines.resources import Resources, decoded
from idiolect.training import Event, Moved, Note

if TYPE_CHECKING:
    import asyncssh

_GO_ON = "Go on from its last checkpoint: idiolect runs resume"
#: How long a lost connection is sought again before this side gives up; the job there goes on all the same.
_SEEK_SECONDS = 600
_RETRY_SECONDS = 5
#: A driver that answers does so within seconds.
HARDWARE_SECONDS = 45
#: How often is looked whether a job must end, and how long what it has come to may take on its way here then.
_LOOK_SECONDS, _RESCUE_SECONDS = 1.0, 600
#: How long a connection may take to be closed.
_LEAVE_SECONDS = 10


class Gone(RunFailed):
    """The computer that a job was on is no more."""


@dataclass(frozen=True)
class Errand:
    """What is to be done there: a bundle, the base model's folder here, and the name of the job."""

    bundle: Path
    base: Path
    name: str
    mirrored: bool = True
    """Whether each checkpoint is fetched while the job goes on; a whole model's are large."""
    merges: bool = False
    """Whether the model file is made there, too, as the bundle's export.json says."""
    bills: Path | None = None
    """The folder for what rented machines have cost, a file each."""
    must_end: Callable[[], str | None] = lambda: None
    """Says why the job must end before its time, if it must: asked every second."""
    is_gone: Callable[[], bool] = lambda: False
    """Whether a computer that does not answer will not come back: asked when the connection is lost."""

    @cached_property
    def contents(self) -> str:
        """What tells this bundle from another one: the digest of all that is sent."""
        return _digest([f for f in sorted(self.bundle.iterdir()) if f.is_file() and f.name != "events.jsonl"])

    @cached_property
    def base_digest(self) -> str:
        return _digest([f for f in sorted(self.base.iterdir()) if f.is_file()])


def _digest(files: list[Path]) -> str:
    return hashlib.sha256("".join(f"{f.name} {sha256(f)}\n" for f in files).encode()).hexdigest()[:16]


def end_there(box: SshBox, known_hosts: Path, errand: Errand) -> str:
    """Stop a job, fetch what it has come to, and wipe it there; say what became of the data set if there was one."""
    return asyncio.run(_ended(box, known_hosts, errand))


async def _ended(box: SshBox, known_hosts: Path, errand: Errand) -> str:
    async with connected(box, known_hosts) as connection:
        there = await look(connection, box)
        visit = _Visit(connection, box, there, FarJob(f"{there.folder}/jobs/{errand.name}"))
        if not await exists(connection, visit.job.folder):
            return ""
        return await _end(visit, errand)


def check(box: SshBox, known_hosts: Path, name: str, *, accept: bool) -> Resources:
    """Log in, and see what is there for the job of that name. Raises UnknownHostKey and MachineFault; sends nothing."""

    async def looked() -> Resources:
        async with connected(box, known_hosts, accept=accept) as connection:
            there = await look(connection, box)
            return decoded(await transfer.Far(connection, there.python).says("has", there.folder, name))

    return asyncio.run(looked())


def has_gpu(box: SshBox, known_hosts: Path) -> bool:
    """Whether there is a GPU whose driver answers. Raises MachineFault if one cannot log in."""

    async def asked() -> bool:
        async with connected(box, known_hosts) as connection:
            try:
                asked = await run(
                    connection, "nvidia-smi --query-gpu=name --format=csv,noheader", seconds=HARDWARE_SECONDS
                )
            except FarFault:  # it hangs, as it does with a driver that has fallen
                return False
            return asked.exit_status == 0

    return asyncio.run(asked())


def train_there(
    box: SshBox, known_hosts: Path, errand: Errand, report: Callable[[Event], None], heard: Heard | None = None
) -> str:
    """Train a bundle there, or attach to it if it is there already; its outputs come back into the bundle here.

    Return a sentence about what became of the data set there. When this side is interrupted the job goes on there, and
    the next call shows what was missed. Raises RunFailed if the job fails; whatever came of it, nothing of the bundle
    stays there. `heard` is what was reported before.
    """
    return asyncio.run(_train(box, known_hosts, errand, report, heard or Heard(errand.bundle / "events.jsonl")))


@dataclass(frozen=True)
class _Visit:
    """One connection to the box, and the job that it is about."""

    connection: asyncssh.SSHClientConnection
    box: SshBox
    there: FarSide
    job: FarJob

    @property
    def far(self) -> transfer.Far:
        return transfer.Far(self.connection, self.there.python, self.job.folder.rpartition("/")[2], self.box.host)


async def _train(box: SshBox, known_hosts: Path, errand: Errand, report: Callable[[Event], None], heard: Heard) -> str:
    """Train there, and end it wherever it is when the errand says so: a ceiling holds from the first second."""
    place = _Place(box, known_hosts)
    training = asyncio.ensure_future(_trained(place, errand, report, heard))
    try:
        while not training.done():
            if why := errand.must_end():
                training.cancel()
                await asyncio.wait([training], timeout=_LEAVE_SECONDS)
                raise RunFailed(f"The job on {box.host} was ended: {why}. {await _rescued(place, errand)}", _GO_ON)
            await asyncio.wait([training], timeout=_LOOK_SECONDS)
        return training.result()
    finally:
        training.cancel()


@dataclass
class _Place:
    """Where a job runs, and whether anything of it may be there."""

    box: SshBox
    known_hosts: Path
    entered: bool = False


async def _rescued(place: _Place, errand: Errand) -> str:
    """Fetch what a job has come to that must end now, and wipe it there; say what became of that."""
    if not place.entered:
        return "It had not begun."
    in_vain: tuple[type[Exception], ...] = (TimeoutError, IdiolectError, *lost())
    try:
        return await asyncio.wait_for(_ended(place.box, place.known_hosts, errand), _RESCUE_SECONDS)
    except in_vain as error:
        return f"What it had come to could not be fetched any more: {error or 'it took too long'}"


async def _trained(place: _Place, errand: Errand, report: Callable[[Event], None], heard: Heard) -> str:
    box, lost_since = place.box, 0.0
    while True:
        try:
            async with connected(box, place.known_hosts) as connection:
                there = await look(connection, box)
                place.entered = True
                visit = _Visit(connection, box, there, FarJob(f"{there.folder}/jobs/{errand.name}"))
                await _under_way(visit, errand, report)
                lost_since = 0.0
                between = partial(_look_after, visit, errand)
                if await far_job.follow(connection, visit.job, heard, report, between) == "ended":
                    return await _settle(visit, errand, report)
                report(Note(f"{box.host} let the job fall; it goes on there from its last checkpoint."))
        except lost() as error:
            lost_since = lost_since or time.monotonic()
            if why := errand.must_end():
                raise RunFailed(f"The job on {box.host} was ended: {why}.", _GO_ON) from error
            if why := errand.must_end():
                raise RunFailed(f"The job on {box.host} was ended: {why}.", _GO_ON) from error
            if await asyncio.to_thread(errand.is_gone):
                raise Gone(f"{box.host} is gone in the middle of the job: {error}", _GO_ON) from error
            if time.monotonic() - lost_since > _SEEK_SECONDS:
                raise RunFailed(
                    f"The connection to {box.host} is lost: {error}",
                    "The job goes on there; `idiolect runs resume` attaches to it again.",
                ) from error
            await asyncio.sleep(_RETRY_SECONDS)


async def _look_after(visit: _Visit, errand: Errand) -> None:
    """Bring back what has come of the job so far."""
    if errand.mirrored:
        await _fetch_checkpoints(visit, errand)


async def _end(visit: _Visit, errand: Errand) -> str:
    """Stop a job and wipe it there, with its weights here if it has trained, or else its last checkpoint."""
    await far_job.stop(visit.connection, visit.job)
    if await far_job.is_trained(visit.connection, visit.job):
        await _fetch_outputs(visit, errand, lambda *_: None)
    else:
        await _fetch_checkpoints(visit, errand)
    return await _wiped(visit)


async def _wiped(visit: _Visit) -> str:
    """Wipe a job's folder there; say what became of the data set in it."""
    gone = await visit.far.does("wipe", visit.job.folder) == ["False"]
    return f"The data set {'is deleted from' if gone else 'COULD NOT BE DELETED from'} {visit.box.host}."


async def _fetch_checkpoints(visit: _Visit, errand: Errand) -> None:
    """Have here what training there can go on from: each checkpoint takes its name when it is whole here.

    The newest comes after the best one that it goes back to, and what was here before goes when both are.
    """
    here, job = errand.bundle / "checkpoints", visit.job
    names = far_job.checkpoint_names(await visit.far.does("snapshot", job.checkpoints, job.held), visit.box.host)
    for name in (n for n in names if not (here / n).exists()):
        partial_one = here / f".{name}.partial"
        await transfer.fetch_folder(visit.far, f"{job.held}/{name}", partial_one, lambda *_: None)
        partial_one.rename(here / name)
    for old in (c for c in here.glob("checkpoint-*") if names and c.name not in names):
        remove(old)


async def _fetch_outputs(visit: _Visit, errand: Errand, progress: transfer.Progress) -> None:
    """Have all of a job's outputs here under their name, or none."""
    outputs = errand.bundle / "outputs"
    fetched = outputs.with_name("outputs.partial")
    await transfer.fetch_folder(visit.far, visit.job.outputs, fetched, progress)
    fetched.rename(outputs)


async def _under_way(visit: _Visit, errand: Errand, report: Callable[[Event], None]) -> None:
    """See to it that the job runs there, or has ended: send what it needs, unless it was begun before."""
    connection, box, there, job = visit.connection, visit.box, visit.there, visit.job
    if await far_job.state(connection, job) in ("running", "ended"):
        if await far_job.contents(connection, job) == errand.contents:
            report(Note(f"Attached to the job on {box.host}."))
            return
        await far_job.stop(connection, job)
        await visit.far.does("wipe", job.folder)
    how = await install(visit.far, box, there, lambda text: report(Note(f"{box.host}: {text}")))
    base = f"{there.folder}/bases/{errand.base_digest}"
    await transfer.send_folder(visit.far, errand.base, base, _told(report, f"base model to {box.host}"))
    await transfer.send_folder(visit.far, errand.bundle, job.bundle, _told(report, f"job to {box.host}"))
    await far_job.begin(connection, job, how, far_job.Task(base, errand.contents, errand.merges))


async def _settle(visit: _Visit, errand: Errand, report: Callable[[Event], None]) -> str:
    """Fetch what a job that has ended left, and wipe it there; raise RunFailed if it did not train."""
    connection, box, job = visit.connection, visit.box, visit.job
    code = await far_job.exit_code(connection, job)
    said = await far_job.last_line(connection, job) if code else ""
    if trained := await far_job.is_trained(connection, job):
        await _fetch_outputs(visit, errand, _told(report, f"results from {box.host}"))
    deleted = await _wiped(visit)
    report(Note(deleted))
    if code and trained:
        report(Note(f"{box.host} trained, and could not merge ({said}): that is done here."))
    elif code:
        problem = f"Training on {box.host} ended with exit code {code}: {said}"
        raise RunFailed(problem, f"{deleted} Mend it and try again: idiolect runs resume")
    return deleted


def _told(report: Callable[[Event], None], what: str) -> Callable[[int, int], None]:
    return lambda done, total: report(Moved(what, done, total))


def lost() -> tuple[type[Exception], ...]:
    """Return what it looks like when a network goes away, and not the computer behind it."""
    import asyncssh

    cut = (asyncssh.DisconnectError, asyncssh.ChannelOpenError, asyncssh.SFTPConnectionLost)
    return (Unreachable, ConnectionError, *cut)
