"""A person at a glance."""

from __future__ import annotations

import os
from datetime import UTC, datetime

import pytest

from idiolect.errors import UnknownPerson
from idiolect.files import write_json, write_text
from idiolect.home import Home
from idiolect.workflow.calendar.schedule import Schedule, write_schedule
from idiolect.workflow.people import Calendars, glance
from idiolect.workflow.records.lock import only_publication
from tests.conftest import Event, MakePerson, MakeRun


def test_a_person_is_seen_at_a_glance(
    home: Home, make_person: MakePerson, talks: list[Event], make_run: MakeRun
) -> None:
    profile = home.profile(make_person("ada", talks))
    write_json(profile.memories / "undated.json", {"id": "x", "type": "journal", "content": "Once."})
    write_text(profile.memories / "broken.json", "{")
    make_run("2026-01-01", "failed", gguf=False, weights=False)
    make_run("2026-02-01", gguf=False)
    seen = glance(home, "ada", Calendars())
    assert seen.months == {"2026-01": 28, "2026-02": 12}
    assert (seen.memories, seen.undated, seen.unreadable) == (41, 1, 1)
    assert (seen.runs, seen.published, seen.going_on, seen.next_due) == (2, None, None, None)
    assert seen.used["memories"] == sum(f.stat().st_size for f in profile.memories.rglob("*.json"))
    assert seen.used["runs and models"] > 0
    assert [removal.why for removal in seen.removals if not isinstance(removal, str)] == ["it failed and left nothing"]
    assert seen.freed > 0


def test_what_is_scheduled_comes_next(home: Home, make_person: MakePerson, talks: list[Event]) -> None:
    make_person("ada", talks)
    write_schedule(home.profile("ada"), Schedule(day=31, hour=4, since=datetime.now(UTC)))
    due = glance(home, "ada", Calendars()).next_due
    assert due
    assert due > datetime.now(UTC)
    assert due.hour == 4


def test_clean_up_is_not_asked_for_while_a_model_is_published(
    home: Home, make_person: MakePerson, talks: list[Event]
) -> None:
    make_person("ada", talks)
    with only_publication(home.profile("ada"), "x"):
        seen = glance(home, "ada", Calendars())
    assert "is being published" in str(seen.removals)
    assert seen.freed == 0


def test_only_what_has_changed_is_read_again(home: Home, make_person: MakePerson, talks: list[Event]) -> None:
    profile = home.profile(make_person("ada", talks))
    calendars = Calendars()
    before = calendars.months(profile)
    first, second, *_ = sorted(profile.memories.rglob("*.json"))
    state = first.stat()
    # Of the same size and time as before: nobody looks into it.
    first.write_bytes(b"x" * state.st_size)
    os.utime(first, ns=(state.st_atime_ns, state.st_mtime_ns))
    assert calendars.months(profile) == before
    second.write_text("no longer a memory")
    assert calendars.months(profile)["?"] == 1


def test_a_file_of_several_events_counts_as_many(home: Home, make_person: MakePerson, talks: list[Event]) -> None:
    profile = home.profile(make_person("ada", talks[:2]))
    write_json(profile.memories / "day.json", [talks[5], talks[6], "no event"])
    assert Calendars().months(profile) == {"2026-01": 4, "?": 1}


def test_faulty_rules_are_no_matter_of_an_overview(home: Home, make_person: MakePerson, talks: list[Event]) -> None:
    profile = home.profile(make_person("ada", talks[:2]))
    write_text(profile.curation_json, '{"labels": 5}')
    assert Calendars().months(profile) == {"2026-01": 2}


def test_nobody_is_unknown(home: Home) -> None:
    with pytest.raises(UnknownPerson):
        glance(home, "nobody", Calendars())
