"""A job on another computer that goes on when nobody is connected: begun, watched, attached to again, ended, wiped.

<folder>/jobs/<name>/bundle/   the job bundle
<folder>/jobs/<name>/held/     checkpoints that are being fetched, whatever training removes meanwhile
<folder>/jobs/<name>/contents  the digest of the bundle that it was begun with
<folder>/jobs/<name>/pid       its process group, while it runs
<folder>/jobs/<name>/code      its exit code, written last
<folder>/jobs/<name>/log       what it printed
"""

from __future__ import annotations

import asyncio
import re
import shlex
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

from idiolect.errors import RunFailed
from idiolect.machines.connection import FarFault, exists, output_of, run
from idiolect.machines.installation import Installed
from idiolect.training import Event, decode

if TYPE_CHECKING:
    import asyncssh

_POLL_SECONDS = 1.0
#: Bytes of events that are read in one look, and of a whole job: a hundred thousand steps are 25 MB.
EVENTS_AT_ONCE, _MOST_EVENTS = 4 << 20, 1 << 30
#: As Transformers names them.
_CHECKPOINT = re.compile(r"checkpoint-\d{1,12}", re.ASCII)
_EXIT_CODE = re.compile(r"-?\d{1,9}", re.ASCII)
State = Literal["absent", "running", "ended", "fallen"]
_OFFLINE = "HF_HUB_OFFLINE=1 HF_HUB_DISABLE_TELEMETRY=1 TOKENIZERS_PARALLELISM=false"


@dataclass(frozen=True)
class FarJob:
    """One job's folder there."""

    folder: str

    @property
    def bundle(self) -> str:
        return f"{self.folder}/bundle"

    @property
    def outputs(self) -> str:
        return f"{self.bundle}/outputs"

    @property
    def result(self) -> str:
        """Written last of all that training leaves."""
        return f"{self.outputs}/result.json"

    @property
    def checkpoints(self) -> str:
        return f"{self.bundle}/checkpoints"

    @property
    def held(self) -> str:
        return f"{self.folder}/held"

    @property
    def events(self) -> str:
        return f"{self.bundle}/events.jsonl"


def checkpoint_names(said: Sequence[str], host: str) -> list[str]:
    """Return the names of checkpoints that a computer tells. Raises RunFailed for what is no name of one."""
    if odd := [name for name in said if not _CHECKPOINT.fullmatch(name)]:
        raise RunFailed(f"{host} calls a checkpoint {odd[0][:80]!r}: that is not taken.", "See to that computer.")
    return list(said)


@dataclass
class Heard:
    """How much of a job's events has been reported here, over all connections, and a file that is their copy."""

    copy: Path
    position: int = 0

    def lines(self, new: bytes) -> bytes:
        """Take in what was read from `position` on; return, and copy, the lines that are whole.

        Raises RunFailed for a line, or for all of them together, that no training has ever written.
        """
        whole_lines = new[: new.rfind(b"\n") + 1]
        if self.position + len(whole_lines) > _MOST_EVENTS or (len(new) >= EVENTS_AT_ONCE and not whole_lines):
            raise RunFailed("The job tells more than any training does.", "See to the computer that it is on.")
        with self.copy.open("ab") as copy:
            copy.truncate(self.position)
            copy.write(whole_lines)
        self.position += len(whole_lines)
        return whole_lines


async def state(connection: asyncssh.SSHClientConnection, job: FarJob) -> State:
    """Say whether a job runs, has ended, or has fallen without an exit code (a power cut there)."""
    folder = shlex.quote(job.folder)
    asked = f"cd {folder} 2>/dev/null || {{ echo absent; exit; }}; test -e pid || {{ echo absent; exit; }}; "
    asked += "test -e code && echo ended || { kill -0 -$(cat pid) 2>/dev/null && echo running || echo fallen; }"
    said = (await run(connection, asked)).stdout.strip()
    return said if said in ("running", "ended", "fallen") else "absent"  # type: ignore[return-value]


async def contents(connection: asyncssh.SSHClientConnection, job: FarJob) -> str:
    """Return what the job was begun with."""
    return (await output_of(connection, "cat", f"{job.folder}/contents")).strip()


@dataclass(frozen=True)
class Task:
    """What a job is begun with: the base model's folder there, what tells its bundle from others; whether it merges."""

    base: str
    contents: str
    merges: bool


async def begin(connection: asyncssh.SSHClientConnection, job: FarJob, how: Installed, task: Task) -> None:
    """Start training a bundle that is there, and merging, detached: it outlives this connection."""
    await output_of(connection, "sh", "-c", f"echo {task.contents} >{shlex.quote(job.folder)}/contents")
    train = shlex.join([how.python, "-m", "idiolect.training", job.bundle, "--base", task.base])
    export = shlex.join([how.python, "-m", "idiolect.export", job.bundle, "--base", task.base])
    work = f"{{ test -e {shlex.quote(job.result)} || {train}; }}" + (f" && {export}" if task.merges else "")
    environ = f"export {_OFFLINE} PYTHONPATH={shlex.quote(how.package)}"
    # The shell of the new session writes its own number, which is that of its process group, before it does anything.
    ours = f"echo $$ >pid; rm -f code; {environ}; {{ {work}; }} >>log 2>&1 </dev/null; "
    ours += "echo $? >code.partial; mv code.partial code"
    await output_of(
        connection,
        "sh",
        "-c",
        f"cd {shlex.quote(job.folder)} && rm -f pid code && setsid sh -c {shlex.quote(ours)} "
        "</dev/null >/dev/null 2>&1 & "
        f"for i in 1 2 3 4 5 6 7 8 9 10; do test -s {shlex.quote(job.folder)}/pid && exit 0; sleep 0.2; done; exit 1",
    )


async def follow(
    connection: asyncssh.SSHClientConnection,
    job: FarJob,
    heard: Heard,
    report: Callable[[Event], None],
    between: Callable[[], Awaitable[None]],
) -> State:
    """Report each event that was not heard yet, until the job runs no more; return whether it has ended or fallen.

    `between` is called every second while it runs, and may raise to leave it.
    """
    async with connection.start_sftp_client() as sftp:
        while True:
            now = await state(connection, job)
            if await sftp.exists(job.events):
                async with sftp.open(job.events, "rb") as file:
                    new = cast("bytes", await file.read(EVENTS_AT_ONCE, heard.position))
                for event in decode(heard.lines(new)):
                    report(event)
                if len(new) == EVENTS_AT_ONCE:
                    continue
            if now != "running":
                return now
            await between()
            await asyncio.sleep(_POLL_SECONDS)


async def is_trained(connection: asyncssh.SSHClientConnection, job: FarJob) -> bool:
    return await exists(connection, job.result)


async def exit_code(connection: asyncssh.SSHClientConnection, job: FarJob) -> int:
    said = (await output_of(connection, "cat", f"{job.folder}/code")).strip()
    if not _EXIT_CODE.fullmatch(said):
        raise FarFault(f"The job there has left {said[:80]!r} for an exit code.", "See to that computer.")
    return int(said)


async def last_line(connection: asyncssh.SSHClientConnection, job: FarJob) -> str:
    said = await output_of(connection, "tail", "-n", "20", f"{job.folder}/log")
    return next((line[:300] for line in reversed(said.splitlines()) if line.strip()), "it printed nothing")


async def stop(connection: asyncssh.SSHClientConnection, job: FarJob) -> None:
    """End a job, with all of its processes."""
    await run(connection, f"cd {shlex.quote(job.folder)} && kill -TERM -$(cat pid); sleep 1; kill -KILL -$(cat pid)")
