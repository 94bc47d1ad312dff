"""What the workflow costs beside its steps' own work: planning, journal, hashes, locks, logs, the summary.

    python -m benchmarks.overhead [--max-samples N]

Carries out the demo's cycle. With fewer samples it trains for a shorter time, and the rest costs the same: divide it
by the time of a whole demo.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

from idiolect.bases import resolve
from idiolect.home import FULL, Home
from idiolect.memories.sample_person import PERSON, write_sample_person
from idiolect.workflow.cycle import run_cycle
from idiolect.workflow.planning.plan import Asked
from idiolect.workflow.records.events import Ended


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--max-samples", type=int, help="fewer samples than the demo's")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Home(Path(folder))
        write_sample_person(home)
        # Unpacked beforehand: that is the base model's own work, once for all runs.
        resolve("embedded", home.cache)
        took: dict[str, float] = {}

        def tell(event: object) -> None:
            if isinstance(event, Ended):
                took[event.step] = event.seconds

        began = time.monotonic()
        flags = {"base_model": "embedded", "max_samples": asked.max_samples}
        run_cycle(home, Asked(PERSON, {}, flags), FULL, tell)
        whole, steps = time.monotonic() - began, sum(took.values())
        print(f"{whole:.2f} s in all, {steps:.2f} s in the steps: {whole - steps:.2f} s beside them, ", end="")
        print(f"{(whole - steps) / whole:.1%} of this run")


if __name__ == "__main__":
    main()
