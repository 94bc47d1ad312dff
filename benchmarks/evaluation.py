"""What evaluation costs beside training: two runs of the sample person on the embedded model, in one process each.

    python benchmarks/evaluation.py [--max 100] [--epochs 3]

The first run is compared with its base alone, the second with the first, too. Times of the training process and of
the step `evaluate`, as a clock and as the processor sees them; the ratio is what counts.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from pathlib import Path

from idiolect.home import FULL, Home
from idiolect.memories.sample_person import PERSON, write_sample_person
from idiolect.workflow.cycle import run_cycle
from idiolect.workflow.planning.plan import Asked
from idiolect.workflow.records.events import Began, Ended


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--max", type=int, default=100)
    parser.add_argument("--epochs", type=float, default=3)
    given = parser.parse_args()
    flags = {"base_model": "embedded", "max_samples": given.max, "num_train_epochs": given.epochs}
    with tempfile.TemporaryDirectory() as folder:
        home = Home(Path(folder))
        write_sample_person(home)
        print(
            "| run | train, s (processor) | evaluate, s (processor) | ratio of clock (processor) |\n|---|---|---|---|"
        )
        for name in ("first", "second"):
            wall, cpu = run(home, flags)
            ratios = wall["evaluate"] / wall["train"], cpu["evaluate"] / cpu["train"]
            train, evaluate = (f"{wall[s]:.0f} ({cpu[s]:.0f})" for s in ("train", "evaluate"))
            print(f"| {name} | {train} | {evaluate} | {ratios[0]:.2f} ({ratios[1]:.2f}) |", flush=True)


def run(home: Home, flags: dict[str, object]) -> tuple[dict[str, float], dict[str, float]]:
    """Return the seconds of each step of a run, by the clock and by the processor (children that ended included)."""
    wall: dict[str, float] = {}
    cpu: dict[str, float] = {}

    def tell(event: object) -> None:
        if isinstance(event, Began):
            wall[event.step], cpu[event.step] = -time.monotonic(), -_processor()
        elif isinstance(event, Ended):
            wall[event.step] += time.monotonic()
            cpu[event.step] += _processor()

    run_cycle(home, Asked(PERSON, {}, flags), FULL, tell)
    return wall, cpu


def _processor() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(u.ru_utime + u.ru_stime for u in used)


if __name__ == "__main__":
    main()
