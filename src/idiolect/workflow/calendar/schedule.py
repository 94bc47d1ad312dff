"""A person's calendar: when they are trained by themselves, and what became of the last month that was due."""

from __future__ import annotations

import calendar
import fcntl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import msgspec

from idiolect.curation import Fate, memory_stamps
from idiolect.errors import DamagedFile, IdiolectError, UserFault
from idiolect.files import make_folder, read_json, remove, write_json
from idiolect.home import CYCLES, Home, Profile
from idiolect.workflow.archive.runs import state
from idiolect.workflow.calendar.queue import put
from idiolect.workflow.data.steps import read_lines
from idiolect.workflow.planning.plan import Asked, next_label
from idiolect.workflow.records.audit import audit

#: Fewer new memories than this teach a model too little to be worth a night.
MIN_NEW = 20


class Schedule(msgspec.Struct, frozen=True, kw_only=True):
    """profiles/<user>/etc/schedule.json: each month, at an hour of this computer's time."""

    day: int = 1
    """Of the month; in a month that has no such day its last."""
    hour: int = 3
    cycle: str = "full-cycle"
    machine: str = "local"
    queue: str = "cpu"
    min_new: int = MIN_NEW
    """A month with fewer new memories is skipped."""
    since: datetime


class Month(msgspec.Struct, frozen=True):
    """state/idiolect-month.json: the last month that was due, its run, or why it has none."""

    due: datetime
    label: str = ""
    skipped: str = ""
    put: bool = False
    """Into the queue."""


def due(schedule: Schedule, now: datetime) -> datetime | None:
    """Return the last moment that was due, in the time zone of `now`; None if there was none since it was scheduled."""
    last = max(moment for moment in _moments(schedule, now) if moment <= now)
    return last if last >= schedule.since else None


def next_due(schedule: Schedule, now: datetime) -> datetime:
    """Return the next moment that will be due, in the time zone of `now`."""
    return min(moment for moment in _moments(schedule, now) if moment > now)


def _moments(schedule: Schedule, now: datetime) -> Iterator[datetime]:
    """Yield the moments of the month before, of this month, and of the next one."""
    for months in (-1, 0, 1):
        year, month = divmod(now.year * 12 + now.month - 1 + months, 12)
        day = min(schedule.day, calendar.monthrange(year, month + 1)[1])
        yield now.replace(year=year, month=month + 1, day=day, hour=schedule.hour, minute=0, second=0, microsecond=0)


def read_schedule(profile: Profile) -> Schedule | None:
    """Read a person's schedule. Raises UserFault for one that is damaged."""
    if not profile.schedule.exists():
        return None
    return read_json(
        profile.schedule, Schedule, "Schedule this person again: idiolect schedule --monthly --username NAME"
    )


def read_month(profile: Profile) -> Month | None:
    """Return what became of the month last due; one that cannot be read is decided again."""
    try:
        return read_json(profile.month, Month)
    except DamagedFile:
        return None


def write_schedule(profile: Profile, schedule: Schedule) -> None:
    write_json(profile.schedule, schedule)
    audit(profile, "schedule_set", msgspec.to_builtins(schedule))


def remove_schedule(profile: Profile) -> None:
    """Remove a person's schedule; what it has begun goes on. Raises UserFault where there is none."""
    if not profile.schedule.exists():
        raise UserFault(f"{profile.person} has no schedule.", "See them: idiolect schedule list")
    remove(profile.schedule)
    audit(profile, "schedule_removed", {})


def keep_calendar(home: Home, now: datetime, environ: Mapping[str, str], tell: Callable[[str], None]) -> None:
    """Put into the queue what is due and was not yet decided, for everybody. May be called at any time, by anybody.

    A month that passed while nobody called is caught up on, the last one only.
    """
    for person in home.people():
        profile = home.profile(person)
        try:
            schedule = read_schedule(profile)
            moment = due(schedule, now) if schedule else None
            if schedule and moment:
                with _alone(profile):
                    month = _decided(profile, schedule, moment, tell)
                    if month.label and not month.put:
                        _put(
                            home,
                            Asked(person, environ, {"monthly": True, "machine": schedule.machine}),
                            schedule,
                            month,
                        )
                        tell(f"{person}: {month.label} is due, and in the queue {schedule.queue}")
        except IdiolectError as error:
            tell(f"{person}: this month's training waits: {error.problem} {error.remedy}")


def _decided(profile: Profile, schedule: Schedule, moment: datetime, tell: Callable[[str], None]) -> Month:
    """Return what was decided about the month that is due, or decide it now."""
    month = read_month(profile)
    if month and month.due >= moment:
        return month
    new = new_memories(profile)
    few = f"{new} new memories, {schedule.min_new} are wanted" if new < schedule.min_new else ""
    # The label is written down first: killed after this, the run is put into the queue under it, and only once.
    month = Month(moment, "" if few else next_label(profile), few)
    write_json(profile.month, month)
    if few:
        tell(f"{profile.person}: {moment:%B %Y} is skipped: {few}")
        audit(profile, "month_skipped", {"due": moment, "new_memories": new, "min_new": schedule.min_new})
    return month


def _put(home: Home, asked: Asked, schedule: Schedule, month: Month) -> None:
    profile, cycle = home.profile(asked.person), CYCLES[schedule.cycle]
    if not profile.run(cycle, month.label).folder.exists():
        put(home, asked, cycle, schedule.queue, month.label)
    write_json(profile.month, msgspec.structs.replace(month, put=True))


def new_memories(profile: Profile) -> int:
    """Return how many memory files no run that succeeded has read."""
    known: set[str] = set()
    for run in profile.runs():
        if state(run) == "succeeded" and run.ledger.exists():
            known |= {fate.memory for fate in read_lines(run.ledger, Fate)}
    return len(memory_stamps(profile).keys() - known)


@contextmanager
def _alone(profile: Profile) -> Iterator[None]:
    """Decide about a person's month in one process at a time."""
    make_folder(profile.month.parent)
    with profile.month.with_suffix(".lock").open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def described(schedule: Schedule, month: Month | None) -> dict[str, Any]:
    """Return what a list of schedules shows."""
    became = (month.label or f"skipped: {month.skipped}") if month else "nothing was due yet"
    return {**msgspec.to_builtins(schedule), "last": became}
