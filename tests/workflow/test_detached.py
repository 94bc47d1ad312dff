"""A run that is begun and left alone: refused early, carried out by nobody's child, cancelled and gone on with."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from idiolect.errors import OptionFault, UserFault
from idiolect.home import FULL, Home
from idiolect.workflow.archive.runs import standing
from idiolect.workflow.cancel import cancel
from idiolect.workflow.detached import go_on, start
from idiolect.workflow.planning.plan import Asked
from idiolect.workflow.records.lock import holder, only_run
from tests.conftest import Event, MakePerson


@pytest.fixture
def person(make_person: MakePerson, talks: list[Event], tiny_base: Path) -> str:
    return make_person("ada", talks, base_model=str(tiny_base))


def test_what_is_refused_leaves_nothing(home: Home, person: str) -> None:
    with pytest.raises(OptionFault):
        start(home, Asked(person, {}, {"lora_rank": 0}), FULL)
    with only_run(home.profile(person), "another"), pytest.raises(UserFault, match="is going on: another"):
        start(home, Asked(person, {}, {}), FULL)
    assert not home.profile(person).runs()


@pytest.mark.slow
def test_a_run_outlives_who_began_it_and_is_gone_on_with(home: Home, person: str) -> None:
    program = (
        "import os, sys; from pathlib import Path; from idiolect.home import FULL, Home\n"
        "from idiolect.workflow.detached import start; from idiolect.workflow.planning.plan import Asked\n"
        f"print(start(Home(Path({str(home.root)!r})), Asked('ada', os.environ, {{'num_train_epochs': 300}}), FULL))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    label = done.stdout.strip()
    profile = home.profile(person)
    (run,) = profile.runs()
    assert run.label == label
    assert _comes_to("running", home, label)
    running = holder(profile)
    assert running
    assert os.getsid(running.process) == running.process
    with pytest.raises(UserFault, match="is going on"):
        go_on(home, person, label)
    assert "has stopped it" in cancel(profile, run)
    assert standing(profile, run) == "cancelled"
    go_on(home, person, label)
    assert _comes_to("running", home, label)
    cancel(profile, run)


def _comes_to(wanted: str, home: Home, label: str) -> bool:
    profile = home.profile("ada")
    until = time.monotonic() + 120
    while time.monotonic() < until:
        if standing(profile, profile.runs()[0]) == wanted:
            return True
        time.sleep(0.1)
    return False
