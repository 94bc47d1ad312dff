"""Four workers, forty runs for twenty people, workers killed at random: each run finishes, each once, in its order."""

from __future__ import annotations

import random
import subprocess
import time
from pathlib import Path

import pytest

from idiolect.home import FULL, Home
from idiolect.workflow.archive.runs import find, overview
from idiolect.workflow.archive.summary import read_summary
from idiolect.workflow.calendar.queue import put
from idiolect.workflow.calendar.worker import DATABASE_URL
from idiolect.workflow.planning.plan import Asked
from idiolect.workflow.records.lock import Holder, holder
from tests.conftest import Event, MakePerson
from tests.workflow.calendar.test_worker import audited, start
from tests.workflow.postgres import cluster, programs

PEOPLE, RUNS, WORKERS, KILLS, PAUSE = 20, 40, 4, 6, 0.5


def kill(holds: Holder | None, workers: list[subprocess.Popen[bytes]]) -> bool:
    """Kill the worker that holds a person's lock, if it still does, and strike it off the list."""
    for worker in [w for w in workers if holds and w.pid == holds.process]:
        worker.kill()
        worker.wait()
        workers.remove(worker)
        return True
    return False


@pytest.mark.slow
def test_no_run_is_lost_or_done_twice_and_each_persons_are_in_order(
    home: Home, make_person: MakePerson, talks: list[Event], tiny_base: Path
) -> None:
    if not (bin_folder := programs()):
        pytest.skip("PostgreSQL's programs are not installed (scripts/debian-packages installs them, as root)")
    people = [make_person(f"person-{n:02}", talks[:12], base_model=str(tiny_base)) for n in range(PEOPLE)]
    asked = [(person, put(home, Asked(person, {}, {}), FULL, "cpu")) for person in people * (RUNS // PEOPLE)]
    chance = random.Random(1)
    with cluster(bin_folder) as url:
        environ = {DATABASE_URL: url}
        workers = [start(home, PAUSE, environ) for _ in range(WORKERS)]
        killed, began = 0, time.monotonic()
        try:
            while {row.state for row in overview(home)} != {"succeeded"}:
                assert time.monotonic() - began < 240, [row for row in overview(home) if row.state != "succeeded"]
                time.sleep(chance.uniform(0.2, 1.0))
                begun = [row for row in overview(home) if row.state == "running" and row.step]
                if killed < KILLS and begun:
                    killed += kill(holder(home.profile(chance.choice(begun).person)), workers)
                    workers += [start(home, PAUSE, environ) for _ in range(WORKERS - len(workers))]
        finally:
            for worker in workers:
                worker.kill()
                worker.wait()
    assert killed == KILLS
    done = [find(home, label)[1] for _, label in asked]
    ended = {label: read_summary(run.summary).ended for (_, label), run in zip(asked, done, strict=True)}
    for person in people:
        own = [label for who, label in asked if who == person]
        assert own == sorted(own, key=ended.__getitem__)
        said = audited(home, person, "full_cycle_completed")
        # Killed between its end and that line, a run is not done again to say it.
        assert len(set(said)) == len(said)
    logs = [run.log.read_text() for run in done]
    assert any("was done before" in log for log in logs)
    assert not [log for log in logs if "begins" in log.partition("the run has succeeded")[2]]
    assert not (home.root / "state" / "queue.sqlite").exists()
