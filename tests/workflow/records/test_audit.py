"""What the audit says of a run, and that neither it nor the run's log repeats a word of a memory."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from idiolect.errors import EmptyProfile
from idiolect.home import FULL, Home
from idiolect.workflow.cycle import run_cycle
from idiolect.workflow.planning.plan import Asked
from idiolect.workflow.records.events import Began
from tests.conftest import Event, MakePerson


def lines(home: Home, person: str) -> list[dict[str, object]]:
    return [json.loads(x) for day in home.profile(person).audit.iterdir() for x in day.read_text().splitlines()]


def test_a_run_is_audited_step_by_step_without_a_memorys_words(
    home: Home, make_person: MakePerson, talks: list[Event], tiny_base: Path
) -> None:
    person = make_person("ada", talks, base_model=str(tiny_base))

    def stop(event: object) -> None:
        if event == Began("train"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_cycle(home, Asked(person, {}, {}), FULL, stop)
    (run,) = home.profile(person).runs()
    written = lines(home, person)
    assert [line["event"] for line in written] == [
        "full_cycle_started",
        "memory_curation_completed",
        "mode_formatting_completed",
        "training_export_completed",
        "full_cycle_failed",
    ]
    keys = {"timestamp", "level", "category", "event", "details", "actor", "userId"}
    assert all(line.keys() == keys and line["userId"] == person for line in written)
    assert written[1]["details"] == {"memories": 40, "samples": 40}
    assert written[-1]["details"] == {"run": run.label, "error": "KeyboardInterrupt"}
    assert "interrupted" in run.log.read_text()
    said = json.dumps(written) + run.log.read_text()
    words = {event[part] for event in talks for part in ("content", "response")}
    assert not [text for text in words if text in said]


def test_a_failed_run_is_audited_too(home: Home, make_person: MakePerson, tiny_base: Path) -> None:
    person = make_person("ada", [{"type": "summary", "content": "They like bees."}], base_model=str(tiny_base))
    with pytest.raises(EmptyProfile):
        run_cycle(home, Asked(person, {}, {}), FULL, lambda _: None)
    assert [line["event"] for line in lines(home, person)] == ["full_cycle_started", "full_cycle_failed"]
    assert lines(home, person)[-1]["level"] == "error"
