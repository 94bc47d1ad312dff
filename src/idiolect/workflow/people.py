"""A person at a glance: their memories over time, the model that is published, what comes next, the disk."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from idiolect.config import WhoseWords
from idiolect.errors import UserFault
from idiolect.files import size_of
from idiolect.home import Home, Profile
from idiolect.memories import Memory, MemoryFile, memory_files, read_stamped, stamp
from idiolect.workflow.archive.cleanup import Removal, clean_up
from idiolect.workflow.archive.registry import Published, read_registry
from idiolect.workflow.archive.runs import known
from idiolect.workflow.calendar.schedule import Schedule, next_due, read_schedule
from idiolect.workflow.records.lock import Holder, holder


@dataclass(frozen=True)
class Glance:
    """A person. `months` counts memories by YYYY-MM, `undated` those without a time; sizes are in bytes."""

    person: str
    months: Mapping[str, int]
    undated: int
    unreadable: int
    published: Published | None
    before: int
    """How many models a rollback could bring back."""
    schedule: Schedule | None
    next_due: datetime | None
    going_on: Holder | None
    runs: int
    used: Mapping[str, int]
    removals: list[Removal] | str
    """What clean-up would remove, or why that cannot be said now."""

    @property
    def memories(self) -> int:
        return sum(self.months.values()) + self.undated

    @property
    def freed(self) -> int:
        return 0 if isinstance(self.removals, str) else sum(removal.size for removal in self.removals)


@dataclass
class Calendars:
    """When the memories of people were: of each file once, until it changes."""

    known: dict[str, dict[str, tuple[object, list[str]]]] = field(default_factory=dict)

    def months(self, profile: Profile) -> Counter[str]:
        """Return how many memories are of each month (YYYY-MM), of none (``), or cannot be read (`?`)."""
        before = self.known.get(profile.person, {})
        now: dict[str, tuple[object, list[str]]] = {}
        # Months are the same by any rules: a faulty curation.json is for those to name who curate.
        for file in memory_files(profile, WhoseWords()):
            if not isinstance(file, MemoryFile):
                now[file.source] = (None, ["?"])
                continue
            of_file = stamp(file)
            seen = before.get(file.source)
            now[file.source] = seen if seen and seen[0] == of_file else (of_file, _months(file))
        self.known[profile.person] = now
        return Counter(month for _, months in now.values() for month in months)


def glance(home: Home, person: str, calendars: Calendars) -> Glance:
    """Look at a person. Raises UnknownPerson, and UserFault for a registry or a schedule that is damaged."""
    profile = known(home, person)
    months = calendars.months(profile)
    registry, schedule = read_registry(profile), read_schedule(profile)
    return Glance(
        person=person,
        months={month: months[month] for month in sorted(months) if month not in ("", "?")},
        undated=months[""],
        unreadable=months["?"],
        published=registry.published,
        before=len(registry.before),
        schedule=schedule,
        next_due=next_due(schedule, datetime.now().astimezone()) if schedule else None,
        going_on=holder(profile),
        runs=len(profile.runs()),
        used=disk_used(profile),
        removals=_removals(profile),
    )


def disk_used(profile: Profile) -> dict[str, int]:
    """Return the bytes of a person's memories, of their runs, and of what runs have not finished."""
    return {
        "memories": size_of(profile.memories),
        "runs and models": size_of(profile.out) - size_of(profile.work),
        "unfinished work": size_of(profile.work),
    }


def _removals(profile: Profile) -> list[Removal] | str:
    try:
        return clean_up(profile, dry_run=True)
    except UserFault as busy:
        return busy.problem


def _months(file: MemoryFile) -> list[str]:
    return [_month(memory) for memory in read_stamped(file)[0]]


def _month(memory: object) -> str:
    if not isinstance(memory, Memory):
        return "?"
    return f"{memory.timestamp:%Y-%m}" if memory.timestamp else ""
