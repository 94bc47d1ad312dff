"""Workers on the default queue: runs in their turn, each once, and what a dead worker left behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from idiolect.home import FULL, Home
from idiolect.workflow.archive.runs import find, overview
from idiolect.workflow.calendar.queue import put, put_again
from idiolect.workflow.cancel import cancel
from idiolect.workflow.planning.plan import Asked
from idiolect.workflow.records.lock import holder
from tests.conftest import Event, MakePerson

PAUSE = 0.1


def start(home: Home, pause: float = PAUSE, environ: Mapping[str, str] | None = None) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "tests.workflow.short_worker", str(home.root), str(pause)]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, env={**os.environ, **(environ or {})})


@contextmanager
def workers(count: int, home: Home, **given: Any) -> Iterator[list[subprocess.Popen[bytes]]]:
    running = [start(home, **given) for _ in range(count)]
    try:
        yield running
    finally:
        for worker in running:
            worker.kill()
            worker.wait()


def until(true: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not come to be"
        time.sleep(0.1)


def states(home: Home, labels: Sequence[str]) -> list[str]:
    known = {row.label: row.state for row in overview(home)}
    return [known[label] for label in labels]


def audited(home: Home, person: str, event: str) -> list[str]:
    """Return the labels of a person's runs of which the audit says this, in its order."""
    lines = [line for day in sorted(home.profile(person).audit.iterdir()) for line in day.read_text().splitlines()]
    return [entry["details"]["run"] for entry in map(json.loads, lines) if entry["event"] == event]


@pytest.fixture
def person(make_person: MakePerson, talks: list[Event], tiny_base: Path) -> str:
    return make_person("ada", talks, base_model=str(tiny_base))


@pytest.mark.slow
def test_queued_runs_are_carried_out_in_their_order_and_can_be_queued_again(home: Home, person: str) -> None:
    asked = Asked(person, {}, {})
    labels = [put(home, asked, FULL, queue) for queue in ("cpu", "cpu", "cpu", "gpu")]
    cancelled = labels.pop(1)
    assert set(states(home, labels)) == {"queued"}
    assert cancel(*find(home, cancelled)) == "It was not going on; it will not."
    with workers(1, home):
        until(lambda: set(states(home, labels)) == {"succeeded"})
        assert states(home, [cancelled]) == ["cancelled"]
        put_again(home, person, cancelled, "gpu")
        until(lambda: states(home, [cancelled]) == ["succeeded"])
    done = audited(home, person, "full_cycle_completed")
    assert [label for label in done if label in labels[:2]] == labels[:2]
    assert sorted(done) == sorted([*labels, cancelled])


@pytest.mark.slow
def test_a_run_whose_worker_was_killed_is_gone_on_with_by_another(home: Home, person: str) -> None:
    label = put(home, Asked(person, {}, {}), FULL, "cpu")
    with workers(1, home, pause=60) as (first,):
        until(lambda: states(home, [label]) == ["running"])
        journal = find(home, label)[1].journal
        until(lambda: '"step": "export"' in journal.read_text())
        first.send_signal(signal.SIGKILL)
        first.wait()
        assert states(home, [label]) == ["interrupted"]
        with workers(1, home, pause=0):
            until(lambda: states(home, [label]) == ["succeeded"])
    log = find(home, label)[1].log.read_text()
    assert log.count("export begins") == 1
    assert "export was done before" in log
    assert audited(home, person, "full_cycle_completed") == [label]


@pytest.mark.slow
def test_a_worker_that_is_stopped_leaves_its_run_to_the_next(
    home: Home, make_person: MakePerson, talks: list[Event], tiny_base: Path
) -> None:
    person = make_person("ada", talks, base_model=str(tiny_base), num_train_epochs=30)
    label = put(home, Asked(person, {}, {}), FULL, "cpu")
    profile, run = find(home, label)
    command = [sys.executable, "-m", "idiolect", "worker", "--home", str(home.root)]
    first = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    until(lambda: run.log.exists() and "training: step 4/" in run.log.read_text())
    first.send_signal(signal.SIGTERM)
    said, _ = first.communicate(timeout=60)
    assert first.returncode == 0
    assert f"{label} of {person}: taken" in said
    assert holder(profile) is None
    assert "interrupted" in run.log.read_text()
    second = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    until(lambda: states(home, [label]) == ["succeeded"], seconds=120)
    second.send_signal(signal.SIGTERM)
    said, _ = second.communicate(timeout=60)
    assert "left behind by" in said
    assert "validate was done before" in run.log.read_text()
