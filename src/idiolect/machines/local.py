"""A job on this computer: a process of its own, so that its memory is given back and its fall harms nothing.

Where there are several GPUs, that process becomes torchrun, and the job a process for each of them.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from idiolect.errors import RunFailed
from idiolect.machines.gpu import own_gpus
from idiolect.training import Event, Failed, decode, mend

_POLL_SECONDS = 0.2


def train_here(bundle: Path, base: Path, log: Path, report: Callable[[Event], None]) -> None:
    """Train a bundle on the base model in a folder; `log` gets what the process prints.

    Raises RunFailed if the process fails. The process ends with this one's, also on Ctrl-C or when this one is killed.
    While it trains, a GPU is its own.
    """
    command = [sys.executable, "-m", "idiolect.training", str(bundle), "--base", str(base), "--while-stdin"]
    offline = {"HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false", "HF_HUB_DISABLE_TELEMETRY": "1"}
    events = bundle / "events.jsonl"
    told_before = mend(events)
    why: list[Failed] = []
    with log.open("ab") as printed, own_gpus(report) as chosen:
        environ = {**os.environ, **offline, **chosen}
        job = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=printed, stderr=printed, env=environ)
        try:
            for event in _follow(job, events, told_before):
                why += [event] if isinstance(event, Failed) else []
                report(event)
        finally:
            if job.poll() is None:
                job.terminate()
            job.wait()
            if job.stdin:
                job.stdin.close()
    if job.returncode and why:
        raise RunFailed(why[0].problem, why[0].remedy)
    if job.returncode:
        raise RunFailed(f"Training ended with exit code {job.returncode}: {_last_line(log)}", f"See {log}")


def _follow(job: subprocess.Popen[bytes], events: Path, read: int) -> Iterator[Event]:
    """Yield each event as it comes, until the process has ended and all of them are read."""
    while True:
        ended = job.poll() is not None
        written = events.read_bytes()[read:] if events.exists() else b""
        whole_lines = written[: written.rfind(b"\n") + 1]
        yield from decode(whole_lines)
        read += len(whole_lines)
        if ended:
            return
        time.sleep(_POLL_SECONDS)


def _last_line(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").split("\n")
    return next((line for line in reversed(lines) if line.strip()), "it printed nothing")
