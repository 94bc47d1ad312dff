"""The calendar: what is due when, what is skipped, and that a month is decided once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from idiolect.errors import UserFault
from idiolect.files import write_json
from idiolect.home import Home
from idiolect.workflow.archive.runs import overview
from idiolect.workflow.calendar.queue import waiting
from idiolect.workflow.calendar.schedule import (
    Schedule,
    due,
    keep_calendar,
    new_memories,
    next_due,
    read_month,
    read_schedule,
    remove_schedule,
    write_schedule,
)
from tests.conftest import Event, MakePerson

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}+00:00")


@pytest.mark.parametrize(
    ("day", "now", "expected"),
    [
        (1, "2026-03-01T03:00", "2026-03-01T03:00"),
        (1, "2026-03-01T02:59", "2026-02-01T03:00"),
        (15, "2026-01-10T12:00", "2025-12-15T03:00"),
        (31, "2026-03-02T00:00", "2026-02-28T03:00"),
        (31, "2026-12-31T23:00", "2026-12-31T03:00"),
        (30, "2024-03-01T00:00", "2024-02-29T03:00"),
    ],
)
def test_the_last_moment_that_was_due(day: int, now: str, expected: str) -> None:
    assert due(Schedule(day=day, since=LONG_AGO), at(now)) == at(expected)


@pytest.mark.parametrize(
    ("day", "now", "expected"),
    [
        (1, "2026-03-01T02:59", "2026-03-01T03:00"),
        (1, "2026-03-01T03:00", "2026-04-01T03:00"),
        (31, "2026-01-31T12:00", "2026-02-28T03:00"),
        (15, "2026-12-20T00:00", "2027-01-15T03:00"),
    ],
)
def test_the_next_moment_that_will_be_due(day: int, now: str, expected: str) -> None:
    assert next_due(Schedule(day=day, since=LONG_AGO), at(now)) == at(expected)


def test_nothing_was_due_before_it_was_scheduled() -> None:
    schedule = Schedule(day=1, since=at("2026-03-01T04:00"))
    assert due(schedule, at("2026-03-31T00:00")) is None
    assert due(schedule, at("2026-04-01T03:00")) == at("2026-04-01T03:00")


@pytest.fixture
def person(home: Home, make_person: MakePerson, talks: list[Event], tiny_base: Path) -> str:
    person = make_person("ada", talks, base_model=str(tiny_base))
    write_schedule(home.profile(person), Schedule(since=LONG_AGO, cycle="fine-tune-cycle", queue="gpu"))
    return person


def test_a_month_that_was_slept_through_is_caught_up_on_once(home: Home, person: str) -> None:
    told: list[str] = []
    for now in ("2026-03-09T10:00", "2026-03-09T10:00", "2026-03-31T00:00", "2026-02-10T00:00"):
        keep_calendar(home, at(now), {}, told.append)
    (run,) = overview(home)
    assert (run.state, run.cycle) == ("queued", "fine-tune-cycle")
    (journal,) = waiting(home)
    assert journal.flags == {"monthly": True, "machine": "local"}
    assert journal.queue == "gpu"
    month = read_month(home.profile(person))
    assert month
    assert (month.due, month.label) == (at("2026-03-01T03:00"), run.label)
    assert told == [f"ada: {run.label} is due, and in the queue gpu"]
    keep_calendar(home, at("2026-04-01T03:00"), {}, told.append)
    assert len(overview(home)) == 2


def test_killed_between_deciding_and_queueing_it_is_queued_under_the_same_label(home: Home, person: str) -> None:
    keep_calendar(home, at("2026-03-09T10:00"), {}, lambda _: None)
    profile = home.profile(person)
    month = read_month(profile)
    assert month
    (run,) = profile.runs()
    for folder, file in ((run.work, run.journal), (run.folder, None)):
        if file:
            file.unlink()
        folder.rmdir()
    write_json(profile.month, msgspec.structs.replace(month, put=False))
    keep_calendar(home, at("2026-03-09T10:01"), {}, lambda _: None)
    assert [r.label for r in overview(home)] == [month.label]


def test_a_month_with_few_new_memories_is_skipped_and_said(home: Home, person: str) -> None:
    profile = home.profile(person)
    assert new_memories(profile) == 40
    write_schedule(profile, Schedule(since=LONG_AGO, min_new=41))
    told: list[str] = []
    keep_calendar(home, at("2026-03-09T10:00"), {}, told.append)
    keep_calendar(home, at("2026-03-09T10:01"), {}, told.append)
    assert told == ["ada: March 2026 is skipped: 40 new memories, 41 are wanted"]
    assert not overview(home)


def test_what_stands_in_the_way_is_said_and_the_month_waits(home: Home, person: str, tiny_base: Path) -> None:
    profile = home.profile(person)
    write_json(profile.training_json, {"base_model": "nosuch"})
    told: list[str] = []
    keep_calendar(home, at("2026-03-09T10:00"), {}, told.append)
    assert len(told) == 1
    assert "this month's training waits" in told[0]
    write_json(profile.training_json, {"base_model": str(tiny_base)})
    keep_calendar(home, at("2026-03-09T10:01"), {}, told.append)
    assert [r.state for r in overview(home)] == ["queued"]


def test_a_schedule_is_removed(home: Home, person: str) -> None:
    profile = home.profile(person)
    remove_schedule(profile)
    assert read_schedule(profile) is None
    with pytest.raises(UserFault, match="no schedule"):
        remove_schedule(profile)
    profile.schedule.write_text('{"day": "first"}')
    with pytest.raises(UserFault, match=r"schedule\.json cannot be read"):
        read_schedule(profile)
    keep_calendar(home, datetime.now(UTC) + timedelta(days=400), {}, lambda _: None)
    assert not overview(home)
