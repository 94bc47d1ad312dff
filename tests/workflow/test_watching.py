"""A run seen from its files, while it goes on and after; who watches changes nothing."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
import pytest

from idiolect.errors import UserFault
from idiolect.files import make_folder, write_text
from idiolect.home import FULL, Home
from idiolect.training import Event as Told
from idiolect.training import HeldOut, Note, Started, Stepped
from idiolect.workflow.archive.runs import overview
from idiolect.workflow.cycle import carry_out, new_journal
from idiolect.workflow.planning.plan import Asked, plan
from idiolect.workflow.records.events import write_line
from idiolect.workflow.records.lock import only_run
from idiolect.workflow.watching import Seen, Watch, newest_run
from tests.conftest import Event, MakePerson
from tests.workflow.short_worker import short_steps


def lines(*events: Told) -> bytes:
    return b"".join(msgspec.json.encode(event) + b"\n" for event in events)


def step(number: int, loss: float) -> Stepped:
    return Stepped(number, 4, number / 2, loss, 1e-3, 100.0, 1.0)


STARTED = Started(samples=30, held_out=2, steps=4, learned_tokens=900, trained_parameters=10)


@pytest.fixture
def person(make_person: MakePerson, talks: list[Event], tiny_base: Path) -> str:
    return make_person("ada", talks, base_model=str(tiny_base))


def test_a_run_is_seen_as_it_goes_on(home: Home, person: str) -> None:
    asked = Asked(person, {}, {})
    decided = plan(home, asked, FULL)
    run, profile = decided.run, decided.data.profile
    seen: list[Seen] = []
    told = lines(STARTED, HeldOut(0, 5.0), step(1, 4.0), step(2, 3.0))

    def tell(event: object) -> None:
        if getattr(event, "step", "") == "wait" and not seen:
            make_folder(run.bundle)
            (run.bundle / "events.jsonl").write_bytes(told + lines(step(3, 2.5))[:20])
            watch = Watch(home, person, run.label)
            seen.append(watch.look())
            # The rest of a torn line, a step that is made again after an interruption, and a note.
            (run.bundle / "events.jsonl").write_bytes(
                told + lines(step(3, 2.5), step(2, 2.9), HeldOut(1, 2.0), Note("slow"))
            )
            seen.append(watch.look())

    with only_run(profile, run.label):
        carry_out(decided, new_journal(decided, asked), tell, short_steps(0))
    first, second = seen
    assert (first.state, first.going_on) == ("running", True)
    assert [s.name for s in first.steps if s.state == "done"] == ["curate", "format", "schema", "export"]
    to_come = {s.name for s in first.steps if s.state == "to come"}
    assert {"train", "quantize", "publish"} <= to_come
    assert "merge" not in to_come  # which a run has that keeps model/
    assert first.losses == [(0.5, 4.0), (1.0, 3.0)]
    assert first.held_out == [(0, 5.0)]
    assert first.started == STARTED
    assert second.losses == [(0.5, 4.0), (1.0, 2.9), (1.5, 2.5)]
    assert second.held_out == [(0, 5.0), (1, 2.0)]
    assert second.notes == ["slow"]
    assert "wait begins" in first.log[-1]

    write_text(run.train_log, lines(STARTED, step(1, 4.0)).decode())
    ended = Watch(home, person, run.label).look()
    assert (ended.state, ended.going_on, ended.losses) == ("succeeded", False, [(0.5, 4.0)])
    assert [s.name for s in ended.steps] == ["curate", "format", "schema", "export", "wait"]
    assert newest_run(profile) == run.label


def test_the_step_that_a_run_is_at(home: Home, person: str) -> None:
    asked = Asked(person, {}, {})
    decided = plan(home, asked, FULL)
    with only_run(decided.data.profile, decided.run.label):
        make_folder(decided.run.folder)
        make_folder(decided.run.work)
        decided.run.journal.write_bytes(msgspec.json.encode(new_journal(decided, asked)))
        write_line(decided.run.log, "curate begins")
        watch = Watch(home, person, decided.run.label)
        assert watch.look().steps[0].state == "going on"
        decided.run.cancelled.touch()
        assert watch.look().state == "cancelling"
        assert [row.state for row in overview(home)] == ["cancelling"]
        decided.run.cancelled.unlink()
    assert watch.look().state == "interrupted"
    assert watch.look().steps[0].state == "to come"
    os.utime(decided.run.log, (1, 1))
    assert watch.look().state == "beginning"


def test_a_run_that_is_not_there_cannot_be_watched(home: Home, person: str) -> None:
    with pytest.raises(UserFault, match="no run x"):
        Watch(home, person, "x")
