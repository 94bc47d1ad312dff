"""Trains bundles, each in a process of its own, and kills each of them as it tells of a step.

    python -m tests.training.killed BASE STEP SECONDS BUNDLE...

SECONDS go by between checkpoints within an epoch.
"""

from __future__ import annotations

import os
import signal
import sys
from functools import partial
from pathlib import Path

from idiolect.training import Event, Stepped
from idiolect.training.bundle import open_bundle
from idiolect.training.train import train


def die_at(step: int, event: Event) -> None:
    if isinstance(event, Stepped) and event.step == step:
        os.kill(os.getpid(), signal.SIGKILL)


def main(base: Path, step: int, seconds: float, bundles: list[Path]) -> None:
    if "RANK" in os.environ:
        train(open_bundle(bundles[0]), base, partial(die_at, step), seconds)
    for bundle in bundles:
        child = os.fork()
        if not child:
            train(open_bundle(bundle), base, partial(die_at, step), seconds)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if not os.WIFSIGNALED(status):
            sys.exit(f"{bundle} was not killed")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), [Path(b) for b in sys.argv[4:]])
