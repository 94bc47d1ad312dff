"""Trains on a rented pod in a process that is killed again and again, each time at a new point, until none is left.

    python -m tests.machines.killed URL FOLDER BASE SEEN

Each attempt does what a cycle's training step does. SEEN gets a line for each point that was somebody's last.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

from idiolect.machines.described import RunPodWishes
from idiolect.machines.pods import Renting
from idiolect.machines.rented import end_rented, train_rented
from idiolect.machines.runpod_calls import Account
from idiolect.machines.ssh import Errand
from idiolect.training import Event, Finished, Moved, Note, Started, is_trained
from tests.machines.runpod_server import KEY

#: A lease is written before the pod is asked for, when there is one, and when it can be reached.
POINTS = (
    "lease.json, time 1",
    "lease.json, time 2",
    "Rented",
    "lease.json, time 3",
    "sending the base model",
    "sending the job",
    "Started",
    "a checkpoint takes its name",
    "Finished",
    "fetching the results",
    "the outputs take their name",
    "The data set is deleted",
    "the lease is forgotten",
)
MOST = 2 * len(POINTS)


def renting_at(url: str, folder: Path, **wished: Any) -> Renting:
    wishes = RunPodWishes(
        gpus=("GPU A", "GPU B"),
        start=str(folder / "runpod" / "start.sh"),
        python=sys.executable,
        install=False,
        folder=str(folder / "there"),
        **{"spare_seconds": 0.0, **wished},
    )
    return Renting(Account(KEY, url, lambda seconds: time.sleep(min(seconds, 0.2))), wishes, folder / "leases")


def errand_at(folder: Path, base: Path, name: str = "away") -> Errand:
    return Errand(folder / name, base, "job", bills=folder / "bills")


def main(url: str, folder: str, base: str, seen: str) -> None:
    renting, errand = renting_at(url, Path(folder)), errand_at(Path(folder), Path(base))
    for _ in range(MOST):
        child = os.fork()
        if child == 0:
            _go_on(renting, errand, Path(seen))
        ended = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        if ended == 0:
            return
        if ended != -signal.SIGKILL:
            sys.exit(f"ended with {ended}")
    sys.exit(f"killed {MOST} times, and it still does something new")


def _go_on(renting: Renting, errand: Errand, seen: Path) -> None:
    times: Counter[str] = Counter()

    def kill_at(point: str) -> None:
        """End this process, as by kill -9, unless one was ended here before."""
        if point not in POINTS:
            return
        before = seen.read_text().splitlines() if seen.exists() else []
        if point not in before:
            seen.write_text("".join(f"{line}\n" for line in (*before, point)))
            os.kill(os.getpid(), signal.SIGKILL)

    # Python's audit events (PEP 578) tell of the disk.
    sys.addaudithook(lambda event, given: kill_at(_on_disk(event, given, times)))
    if is_trained(errand.bundle):
        end_rented(renting, errand)
    else:
        train_rented(renting, errand, lambda event: kill_at(_told(event)))
    os._exit(0)


def _on_disk(event: str, given: tuple[Any, ...], times: Counter[str]) -> str:
    if event == "shutil.rmtree" and str(given[0]).endswith("/leases/job"):
        return "the lease is forgotten"
    if event != "os.rename":
        return ""
    target = os.fspath(given[1])
    if target.endswith("lease.json"):
        times["lease"] += 1
        return f"lease.json, time {times['lease']}"
    if "/checkpoints/checkpoint-" in target:
        return "a checkpoint takes its name"
    return "the outputs take their name" if target.endswith("/outputs") else ""


def _told(event: Event) -> str:
    match event:
        case Note(text):
            return next((p for p in POINTS if text.startswith(p)), "")
        case Moved(what):
            return {"base": "sending the base model", "job ": "sending the job"}.get(what[:4], "fetching the results")
        case Started() | Finished():
            return type(event).__name__
    return ""


if __name__ == "__main__":
    main(*sys.argv[1:])
