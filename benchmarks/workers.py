"""How many runs a minute 1, 2 and 4 workers carry out, from one PostgreSQL queue.

    python -m benchmarks.workers [--runs 40] [--people 20] [--seconds 1.0]

Runs are as short as those of the test: the real data steps, journal, lock and audit, and then a pause that stands for
training, which needs none of this computer's processors. Needs PostgreSQL's programs (scripts/debian-packages).
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from idiolect.files import write_json
from idiolect.home import FULL, Home
from idiolect.workflow.archive.runs import overview
from idiolect.workflow.calendar.queue import put
from idiolect.workflow.calendar.worker import DATABASE_URL
from idiolect.workflow.planning.plan import Asked
from tests.tiny import SENTENCES, write_model, write_tokenizer
from tests.workflow.postgres import cluster, programs


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=40)
    parser.add_argument("--people", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=1.0, help="what stands for training")
    asked = parser.parse_args()
    if not (bin_folder := programs()):
        sys.exit("PostgreSQL's programs are not installed: sh scripts/debian-packages")
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder) / "base"
        write_model(base, "Llama", hidden_size=64, intermediate_size=128, num_hidden_layers=2)
        write_tokenizer(base)
        first = 0.0
        for count in (1, 2, 4):
            home = Home(Path(folder) / f"home-{count}")
            for n in range(asked.people):
                person(home, f"person-{n:02}", base)
            for n in range(asked.runs):
                put(home, Asked(f"person-{n % asked.people:02}", {}, {}), FULL, "cpu")
            with cluster(bin_folder) as url:
                seconds = carried_out(home, count, asked.seconds, url)
            rate = asked.runs / seconds * 60
            first = first or rate
            print(f"{count} workers: {rate:6.1f} runs a minute, {rate / first:.2f} times one worker's", flush=True)


def person(home: Home, name: str, base: Path) -> None:
    profile = home.profile(name)
    for n in range(12):
        event = {"type": "journal", "content": f"{SENTENCES[n % len(SENTENCES)]} That was number {n}."}
        write_json(profile.memories / f"{n:02}.json", event)
    write_json(profile.training_json, {"base_model": str(base)})


def carried_out(home: Home, workers: int, pause: float, url: str) -> float:
    """Return the seconds from the end of the first run to that of the last, a run's share added."""
    command = [sys.executable, "-m", "tests.workflow.short_worker", str(home.root), str(pause)]
    running = [
        subprocess.Popen(command, stdout=subprocess.DEVNULL, env={**os.environ, DATABASE_URL: url})
        for _ in range(workers)
    ]
    try:
        began, done, total = 0.0, 0, len(overview(home))
        at_first = 0
        while done < total:
            time.sleep(0.1)
            done = sum(row.state == "succeeded" for row in overview(home))
            if done and not began:
                began, at_first = time.monotonic(), done
        return (time.monotonic() - began) * total / (total - at_first)
    finally:
        for worker in running:
            worker.kill()
            worker.wait()


if __name__ == "__main__":
    main()
