"""When something was said: seconds since 1970 in UTC, from what exports write; and back."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MONTHS = {
    name: number
    for number, name in enumerate(
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), start=1
    )
}
_NUMBERS = (int, float, str)
_FIRST = (datetime(1, 1, 2, tzinfo=UTC) - EPOCH).total_seconds()
_LAST = (datetime(9999, 12, 30, tzinfo=UTC) - EPOCH).total_seconds()
#: "Tuesday, March 5, 2024 at 1:02:03 PM UTC" (Google Chat), "Mar 5, 2024  1:02:03 PM" (imessage-exporter).
_ENGLISH = re.compile(
    r"(?:[A-Za-z]+,\s*)?([A-Za-z]{3})[a-z]*\.?\s+(\d{1,2}),\s*(\d{4})(?:,|\s+at)?\s+(\d{1,2}):(\d\d)(?::(\d\d))?\s*([AaPp])?\.?\s*(?:[Mm]\.?)?\s*(UTC|GMT)?"
)


def in_range(when: float) -> float | None:
    """Return a moment, or None for one outside of the calendar."""
    return when if _FIRST <= when <= _LAST else None


def from_number(value: Any, divisor: float = 1.0) -> float | None:
    """Read a count since 1970 (`divisor` to the second), written as a number or in digits; anything else is no date."""
    if isinstance(value, bool) or not isinstance(value, _NUMBERS):
        return None
    try:
        when = float(value) / divisor
    except (ValueError, OverflowError):
        return None
    return when if _FIRST <= when <= _LAST else None


def from_iso(value: Any, zone: tzinfo | None = UTC) -> float | None:
    """Read an ISO 8601 date; one without an offset was read off a clock in `zone`."""
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value.strip())
    except ValueError:
        return None
    return from_clock(moment, zone)


def from_clock(moment: datetime, zone: tzinfo | None) -> float | None:
    """Return when a clock showed this, one in `zone` (None: this computer's) if it does not say itself."""
    try:
        if moment.tzinfo is None:
            # By the rules of the place, not by its offset of today: summer time is kept.
            moment = moment.replace(tzinfo=zone) if zone else moment.astimezone(UTC)
        return in_range((moment - EPOCH).total_seconds())
    except (ValueError, OverflowError):
        return None


def from_english(text: str, zone: tzinfo | None = UTC) -> float | None:
    """Read an American date in words, whatever the language of this computer."""
    found = _ENGLISH.match(text.replace("\u202f", " ").replace("\u00a0", " ").strip())
    if not found or found[1].lower() not in MONTHS:
        return None
    hour = int(found[4])
    if found[7]:
        hour = hour % 12 + (12 if found[7] in "Pp" else 0)
    try:
        clock = datetime(
            int(found[3]), MONTHS[found[1].lower()], int(found[2]), hour, int(found[5]), int(found[6] or 0)
        )
    except ValueError:
        return None
    return from_clock(clock, UTC if found[8] else zone)


def moment(when: float, zone: tzinfo | None = UTC) -> datetime:
    """Return the date of a moment in a time zone."""
    return (EPOCH + timedelta(seconds=when)).astimezone(zone)


def day(when: float) -> str:
    """Write the day of a moment, in UTC."""
    return (EPOCH + timedelta(seconds=when)).date().isoformat()


def iso(when: float) -> str:
    """Write a moment as MetaHuman OS does, in UTC."""
    return (EPOCH + timedelta(seconds=int(when // 1))).isoformat().replace("+00:00", "Z")
