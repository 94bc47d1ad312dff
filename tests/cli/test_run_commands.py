"""`runs`, `schedule`, `--queue` and `worker`, as they are typed."""

from __future__ import annotations

import json
import plistlib
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from idiolect.cli import app
from idiolect.errors import OptionFault, UserFault
from idiolect.files import write_json
from idiolect.home import FULL, Home
from idiolect.workflow.cycle import carry_out, new_journal, run_cycle
from idiolect.workflow.planning.plan import Asked, plan
from tests.conftest import Event, MakePerson
from tests.workflow.short_worker import short_steps


def typed(home: Home, *words: str) -> str:
    done = CliRunner().invoke(app, [*words, "--home", str(home.root)], env={"COLUMNS": "60"})
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code == 0, done.output
    return done.output


def told(home: Home, *words: str) -> Any:
    return json.loads(typed(home, *words, "--json"))


@pytest.fixture
def person(make_person: MakePerson, talks: list[Event], tiny_base: Path) -> str:
    return make_person("ada", talks, base_model=str(tiny_base))


def test_runs_are_listed_shown_compared_queued_and_cancelled(home: Home, person: str) -> None:
    asked = Asked(person, {}, {"seed": 7})
    decided = plan(home, asked, FULL)
    done = carry_out(decided, new_journal(decided, asked), lambda _: None, short_steps(0)).run.label
    said = typed(home, "full-cycle", "-u", person, "--queue", "gpu", "--seed", "8")
    queued = said.split()[0]
    assert "is in the queue gpu" in said

    rows = {row["label"]: row for row in told(home, "runs")}
    assert {label: row["state"] for label, row in rows.items()} == {done: "succeeded", queued: "queued"}
    assert rows[done]["step"] == "wait"
    assert rows[done]["started"].startswith(done[:10])
    assert rows[done]["dollars"] == 0
    listed = typed(home, "runs", "-u", person)
    assert all(word in listed for word in (done, queued, "succeeded", "queued", "$0.00"))

    shown = typed(home, "runs", "show", done)
    assert "40 samples of 40 memories" in shown
    assert told(home, "runs", "show", done)["options"]["seed"]["value"] == 7
    assert told(home, "runs", "show", queued)["queue"] == "gpu"
    compared = {
        (line["part"], line["name"]): (line["a"], line["b"]) for line in told(home, "runs", "compare", done, done)
    }
    assert compared["data", "train"] == (30, 30)
    assert "held_out" in typed(home, "runs", "compare", done, queued)

    assert "It was not going on" in typed(home, "runs", "cancel", queued)
    with pytest.raises(UserFault, match="has ended already"):
        typed(home, "runs", "cancel", done)
    assert {row["label"]: row["state"] for row in told(home, "runs")}[queued] == "cancelled"
    assert "is in the queue cpu" in typed(home, "runs", "resume", queued, "--queue", "cpu")
    assert {row["label"]: row["state"] for row in told(home, "runs")}[queued] == "queued"
    assert told(home, "runs", "cancel", queued) == {"label": queued, "outcome": "It was not going on; it will not."}
    assert told(home, "runs", "resume", queued, "--queue", "gpu") == {"label": queued, "queue": "gpu"}
    with pytest.raises(UserFault, match="is queued already"):
        typed(home, "runs", "resume", queued, "--queue", "cpu")


def test_schedules_are_made_listed_and_removed(home: Home, person: str) -> None:
    said = typed(home, "schedule", "-u", person, "--monthly", "--day", "15", "--cycle", "fine-tune", "--min-new", "5")
    assert "fine-tune-cycle every month, on day 15 at 3:00" in said
    row = told(home, "schedule", "list")[person]
    assert (row["cycle"], row["day"], row["hour"], row["min_new"]) == ("fine-tune-cycle", 15, 3, 5)
    assert "nothing was due yet" in typed(home, "schedule", "list")
    typed(home, "schedule", "remove", "-u", person)
    assert told(home, "schedule", "list") == {}
    with pytest.raises(OptionFault, match="no machine 'cloud'"):
        typed(home, "schedule", "-u", person, "--monthly", "--machine", "cloud")
    with pytest.raises(UserFault, match="no profile of 'adda'"):
        typed(home, "schedule", "-u", "adda", "--monthly")


def test_units_keep_a_worker_alive(home: Home) -> None:
    unit = typed(home, "worker", "--print-unit", "systemd", "--queue", "gpu")
    assert f"-m idiolect worker --queue gpu --home {home.root}" in unit
    assert "Restart=always" in unit
    agent = plistlib.loads(typed(home, "worker", "--print-unit", "launchd").encode())
    assert agent["KeepAlive"] is True
    assert agent["ProgramArguments"][1:] == ["-m", "idiolect", "worker", "--home", str(home.root)]


def test_the_flags_and_names_of_metahuman_os_are_understood(home: Home, person: str, tiny_base: Path) -> None:
    words = ["--max", "30", "--mode", "emulation", "--days-recent", "20", "--old-samples", "100"]
    said = typed(
        home,
        *("fine-tune-cycle", "--username", person, "--base-model", str(tiny_base), *words),
        *("--monthly", "--skip-validation", "--queue", "cpu"),
    )
    journal = told(home, "runs", "show", said.split()[0])
    assert journal["cycle"] == "fine-tune-cycle"
    assert journal["flags"] == {
        "base_model": str(tiny_base),
        "max_samples": 30,
        "mode": "emulation",
        "days_recent": 20,
        "old_samples": 100,
        "monthly": True,
        "skip_validation": True,
    }


def test_the_environment_of_metahuman_os_is_understood(
    home: Home, person: str, tiny_base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_json(home.profile(person).training_json, {"base_model": "nosuch"})
    given = {
        "METAHUMAN_BASE_MODEL": str(tiny_base),
        "METAHUMAN_DAYS_RECENT": "20",
        "METAHUMAN_OLD_SAMPLES": "100",
        "METAHUMAN_MAX_SAMPLES": "30",
        "METAHUMAN_DATASET_BUILDER": "classic",
    }
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    label = typed(home, "full-cycle", "--username", person, "--queue", "cpu").split()[0]
    assert told(home, "runs", "show", label)["environ"] == given

    heard: list[Any] = []

    def stop(event: Any) -> None:
        heard.append(event)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_cycle(home, Asked(person, {**given, "METAHUMAN_DUAL_MODE": "1"}, {}), FULL, stop)
    assert heard[0].text.startswith("METAHUMAN_DUAL_MODE: not done.")
