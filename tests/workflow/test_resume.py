"""A run that is stopped anywhere goes on, and ends as one that was never stopped."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from idiolect.errors import UserFault
from idiolect.files import sha256, write_json
from idiolect.home import FULL, Home, Run, label_moment
from idiolect.training import Note
from idiolect.workflow.archive.runs import overview
from idiolect.workflow.cycle import STEPS, resume, run_cycle
from idiolect.workflow.data import steps as data_steps
from idiolect.workflow.planning.plan import Asked, plan
from idiolect.workflow.records.events import Began, Ended
from tests.conftest import Event, MakePerson

#: Quick, and with every step that there is.
QUICK: dict[str, Any] = {
    "num_train_epochs": 2,
    "learning_rate": 1e-2,
    "warmup_steps": 0,
    "dtype": "float32",
    "keep_model": True,
}


@pytest.fixture
def person(make_person: MakePerson, talks: list[Event], tiny_base: Path) -> str:
    return make_person("ada", talks, base_model=str(tiny_base), **QUICK)


def contents(run: Run) -> dict[str, str]:
    """Return the hashes of what a run leaves, under names without its label; the logs tell of times."""
    logs = (run.summary, run.train_log, run.log)
    files = [f for f in run.folder.rglob("*") if f.is_file() and f not in logs]
    return {str(f.relative_to(run.folder)).replace(run.label, "label"): sha256(f) for f in files}


def stop_after(step: str, told: list[Any]) -> Callable[[Any], None]:
    """Return a listener that presses Ctrl-C when a step has ended."""

    def listen(event: Any) -> None:
        told.append(event)
        if isinstance(event, Ended) and event.step == step and event.now:
            raise KeyboardInterrupt

    return listen


def stop_before(step: str, told: list[Any]) -> Callable[[Any], None]:
    def listen(event: Any) -> None:
        told.append(event)
        if isinstance(event, Began) and event.step == step:
            raise KeyboardInterrupt

    return listen


def begun(told: list[Any]) -> list[str]:
    return [event.step for event in told if isinstance(event, Began)]


@pytest.mark.slow
def test_a_run_stopped_after_every_step_ends_as_one_never_stopped(home: Home, person: str) -> None:
    never_stopped = run_cycle(home, Asked(person, {}, {}), FULL, lambda _: None).run
    names = list(STEPS)
    told: list[Any] = []
    with pytest.raises(KeyboardInterrupt):
        run_cycle(home, Asked(person, {}, {}), FULL, stop_after(names[0], told))
    (row,) = [r for r in overview(home, person) if r.state == "interrupted"]
    for name in names[1:]:
        told.clear()
        with pytest.raises(KeyboardInterrupt):
            resume(home, person, row.label, stop_after(name, told))
        # The step in whose record the key was pressed was not yet written down, and is done again.
        assert begun(told) == names[max(names.index(name) - 1, 0) : names.index(name) + 1]
    stopped = resume(home, person, None, lambda _: None)
    assert stopped.run.label == row.label
    # Evaluation and report compare with earlier runs, and here there was one.
    ours, theirs = contents(stopped.run), contents(never_stopped)
    for name in ("evaluation.json", "report.html"):
        assert ours.pop(name) != theirs.pop(name)
    assert ours == theirs
    assert [r.state for r in overview(home, person)] == ["succeeded", "succeeded"]


def test_what_changed_is_done_again_and_said(home: Home, person: str) -> None:
    with pytest.raises(KeyboardInterrupt):
        run_cycle(home, Asked(person, {}, {"max_samples": 30}), FULL, stop_after("validate", []))
    (run,) = home.profile(person).runs()
    run.formatted.write_text(run.formatted.read_text().replace("talking", "shouting"))
    told: list[Any] = []
    with pytest.raises(KeyboardInterrupt):
        resume(home, person, None, stop_after("validate", told))
    assert {e.step: e.again for e in told if isinstance(e, Began)} == {
        "format": f"missing or altered: {run.formatted.relative_to(home.profile(person).root)}",
        "validate": None,
    }
    write_json(home.profile(person).memories / "new.json", {"type": "journal", "content": "A new day altogether."})
    told.clear()
    with pytest.raises(KeyboardInterrupt):
        resume(home, person, None, stop_after("validate", told))
    again = {e.step: e.again for e in told if isinstance(e, Began)}
    assert again["curate"] == "changed: memories"
    assert again["export"]
    assert "samples" in again["export"]


def test_a_setting_that_was_changed_in_a_file_has_done_again_what_depends_on_it(home: Home, person: str) -> None:
    profile = home.profile(person)
    with pytest.raises(KeyboardInterrupt):
        run_cycle(home, Asked(person, {}, {}), FULL, stop_after("validate", []))

    def begun_again() -> dict[str, str | None]:
        told: list[Any] = []
        with pytest.raises(KeyboardInterrupt):
            resume(home, person, None, stop_before("train", told))
        return {e.step: e.again for e in told if isinstance(e, Began)}

    assert begun_again() == {"validate": None, "prompts": None, "train": None}
    settings = {"base_model": json.loads(profile.training_json.read_text())["base_model"], **QUICK}
    write_json(profile.training_json, {**settings, "seed": 7})
    assert begun_again() == {
        "curate": "changed: seed",
        "export": "changed: seed",
        "quality": "changed: ledger",
        "validate": "changed: data set",
        "train": None,
    }
    write_json(profile.curation_json, {"system_messages": {"agent": "You are {name}, at work."}})
    assert list(begun_again()) == ["format", "schema", "export", "validate", "prompts", "train"]
    write_json(profile.training_json, {**settings, "seed": 7, "learning_rate": 0.5})
    assert begun_again() == {"train": None}


def test_a_damaged_journal_is_named_and_nothing_else_can_go_on(home: Home, person: str) -> None:
    with pytest.raises(KeyboardInterrupt):
        run_cycle(home, Asked(person, {}, {}), FULL, stop_after("curate", []))
    (run,) = home.profile(person).runs()
    run.journal.write_text("{")
    with pytest.raises(UserFault, match=r"journal\.json cannot be read"):
        resume(home, person, None, lambda _: None)
    with pytest.raises(UserFault, match="no run 2020"):
        resume(home, person, "2020", lambda _: None)


@pytest.mark.slow
def test_killed_in_the_middle_of_training_it_ends_with_the_same_weights(home: Home, person: str) -> None:
    flags = {"num_train_epochs": 4}
    never_killed = run_cycle(home, Asked(person, {}, flags), FULL, lambda _: None).run
    words = [sys.executable, "-m", "idiolect", "full-cycle", "-u", person, "--home", str(home.root)]
    running = subprocess.Popen([*words, "--num-train-epochs", "4"], stdout=subprocess.PIPE, text=True, process_group=0)
    assert running.stdout
    for line in running.stdout:
        if "after epoch 2" in line:
            break
    os.killpg(running.pid, signal.SIGKILL)
    running.wait()
    running.stdout.close()
    told: list[Any] = []
    finished = resume(home, person, None, told.append)
    assert begun(told) == ["train", "merge", "quantize", "modelfile", "parity", "evaluate", "publish"]
    assert any(isinstance(e, Note) and e.text.startswith("Going on from checkpoint-") for e in told)
    ours, theirs = contents(finished.run), contents(never_killed)
    for name in ("adapter/adapter_model.safetensors", "adapter.gguf", "label.jsonl"):
        assert ours[name] == theirs[name]
    assert finished.summary.training
    assert len(finished.summary.training.loss_by_epoch) == 4


def test_the_last_days_are_counted_from_when_the_run_began(home: Home, person: str, tiny_base: Path) -> None:
    """A day later, another clock: what is selected anew is what the run selected first."""
    profile = home.profile(person)
    began = datetime.now(UTC)
    for days in range(3, 60):
        when = (began - timedelta(days=days, hours=-1)).isoformat()
        write_json(
            profile.memories / f"now/{days}.json", {"content": f"Day {days}: {days * 7} jars.", "timestamp": when}
        )
    told: list[Any] = []
    with pytest.raises(KeyboardInterrupt):
        run_cycle(home, Asked(person, {}, {"days_recent": 30, "old_samples": 5}), FULL, stop_after("curate", told))
    (outcome,) = [e.outcome for e in told if isinstance(e, Ended)]
    assert f"the 30 days since {began - timedelta(days=30):%Y-%m-%d}: all 28; of 69 older ones 5" in outcome
    (work,) = profile.works()
    run = profile.run(FULL, work.name)
    assert abs(label_moment(run.label) - began) < timedelta(minutes=1)
    chosen = run.curated.read_bytes()
    decided = plan(home, Asked(person, {}, {"days_recent": 30, "old_samples": 5}), FULL, run.label)
    STEPS["curate"].run(decided, told.append)
    assert run.curated.read_bytes() == chosen
    data_steps.curate(decided.data, run.curated, run.fates, label_moment(run.label) + timedelta(days=10))
    assert run.curated.read_bytes() != chosen
