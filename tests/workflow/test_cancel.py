"""Cancelling a run: its processes end, what it did is kept, and it goes on only if it is asked for by name."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from idiolect.errors import RunCancelled, UserFault
from idiolect.home import FULL, Home
from idiolect.workflow.archive.runs import find, overview
from idiolect.workflow.cancel import cancel
from idiolect.workflow.cycle import carry_on, resume, run_cycle
from idiolect.workflow.planning.plan import Asked
from idiolect.workflow.records.events import Began
from tests.conftest import Event, MakePerson


@pytest.fixture
def person(make_person: MakePerson, talks: list[Event], tiny_base: Path) -> str:
    return make_person("ada", talks, base_model=str(tiny_base), num_train_epochs=500)


def stop_before(step: str) -> Callable[[Any], None]:
    def listen(event: Any) -> None:
        if isinstance(event, Began) and event.step == step:
            raise KeyboardInterrupt

    return listen


def in_training(home: Home, person: str) -> tuple[subprocess.Popen[str], int]:
    """Return a run that is training, in a process of its own, and the process that trains."""
    words = [sys.executable, "-m", "idiolect", "full-cycle", "-u", person, "--home", str(home.root)]
    running = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert running.stdout
    for line in running.stdout:
        if "step 10/" in line:
            break
    children = Path(f"/proc/{running.pid}/task/{running.pid}/children").read_text().split()
    (trainer,) = [
        int(child) for child in children if b"idiolect.training" in Path(f"/proc/{child}/cmdline").read_bytes()
    ]
    return running, trainer


def gone(process: int, seconds: float = 10) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        stat = Path(f"/proc/{process}/stat")
        # A zombie has ended; whoever adopted it has only not yet looked.
        if not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] == "Z":
            return True
        time.sleep(0.1)
    return False


def test_a_stopped_run_is_cancelled_and_goes_on_only_by_name(home: Home, person: str) -> None:
    with pytest.raises(KeyboardInterrupt):
        run_cycle(home, Asked(person, {}, {}), FULL, stop_before("schema"))
    (row,) = overview(home)
    assert row.state == "interrupted"
    assert cancel(*find(home, row.label)) == "It was not going on; it will not."
    assert [r.state for r in overview(home)] == ["cancelled"]
    with pytest.raises(UserFault, match="no run that could go on"):
        resume(home, person, None, lambda _: None)
    with pytest.raises(RunCancelled, match="was cancelled"):
        carry_on(home, person, row.label, lambda _: None)
    with pytest.raises(KeyboardInterrupt):
        resume(home, person, row.label, stop_before("train"))
    assert [(r.state, r.step) for r in overview(home)] == [("interrupted", "prompts")]


@pytest.mark.slow
def test_a_run_that_trains_is_stopped_with_its_training(home: Home, person: str) -> None:
    running, trainer = in_training(home, person)
    (row,) = overview(home)
    assert (row.state, row.step) == ("running", "prompts")
    assert "has stopped it" in cancel(*find(home, row.label))
    said, _ = running.communicate(timeout=20)
    assert running.returncode == 1
    assert "RunCancelled" in said
    assert "Traceback" not in said
    assert gone(trainer)
    assert [r.state for r in overview(home)] == ["cancelled"]


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL], ids=lambda s: s.name)
def test_training_ends_with_the_process_that_wanted_it(home: Home, person: str, how: signal.Signals) -> None:
    """Whoever stops a service, or takes its memory, stops its training as well."""
    running, trainer = in_training(home, person)
    os.kill(running.pid, how)
    running.communicate(timeout=60)
    assert gone(trainer)
    assert [r.state for r in overview(home)] == ["interrupted"]
