"""The heads of WhatsApp's lines: date and time as telephones in any country write them, and in which order.

    [08.03.24, 13:02:03] Anna: text          iOS
    3/8/24, 1:02 PM - Anna: text             Android
    12/31/23, 11:58:34 PM: Anna: text        iOS before 2018

Nothing in a file says how its dates are to be read: what fits all of its lines does. Words by the time are times of
the day, of which CLDR knows those of ninety languages, or else belong to the form.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, timedelta
from functools import lru_cache
from typing import NamedTuple

import msgspec

from idiolect.memories.importers.cldr import hour_of, is_period, worded

_M = "[\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\u061c]*"
_DATE = rf"(\d{{1,4}}){_M}([./-])\s?{_M}(\d{{1,2}}){_M}[./-]\s?{_M}(\d{{1,4}})(\.?)(?:\s?(?:г|р|BE|พ\.ศ)\.?)?"
_TIME = (
    rf"(?:([^\W\d_][^\d\n\[\]<>:]{{0,18}}?)\s?)??{_M}(\d{{1,2}}){_M}\s?[:.h٫]\s?(\d\d)(?:\s?[:.]\s?(\d\d))?"
    rf"(?:{_M}\s?{_M}([^\W\d_][^\d\n:\[\]<>]{{0,18}}?))??{_M}"
)
_REST = r"(\]\s?|\s[-–—]\s|:\s)(.*)"
_DATE_FIRST = re.compile(rf"{_M}(\[?){_M}{_DATE}[,،]?{_M}\s+{_M}{_TIME}{_REST}", re.DOTALL)
_TIME_FIRST = re.compile(rf"{_M}(\[?){_M}{_TIME}[,،]\s{_M}{_DATE}{_REST}", re.DOTALL)
_BEGINS = frozenset(
    "[0123456789٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹०१२३४५६७८९\u200b\u200e\u200f\u202a\u202b\u202c\u2068\u2069\ufeff\u061c"
)
#: Who goes back further than the end of summer time does, is out of order.
BACK = timedelta(hours=2).total_seconds()
_DAY = 86_400
#: WhatsApp's first year.
_FIRST = date(2009, 1, 1).toordinal()
_PERSIAN, _HIJRI = range(1380, 1420), range(1430, 1470)


class Form(NamedTuple):
    """How the heads of a file are written: lines that differ in it are no heads of this file."""

    bracket: bool
    separator: str
    seconds: bool
    before: str
    """The word before the time; "half" for any time of the day."""
    after: str
    end: str
    time_first: bool


class Head(msgspec.Struct, frozen=True, gc=False):
    """A line with a head: the three numbers of its date, its second of the day, and what comes after."""

    form: Form
    date: tuple[int, int, int]
    second: int
    rest: str
    closed: bool
    """Whether a dot stands after the last number."""


def head_of(line: str) -> Head | None:
    """Return the head of a line and what comes after it, if it has one."""
    if line[:1] not in _BEGINS:
        return None
    time_first = False
    if found := _DATE_FIRST.match(line):
        bracket, a, separator, b, c, dot, before, hour, minute, second, after, end, rest = found.groups()
    elif found := _TIME_FIRST.match(line):
        bracket, before, hour, minute, second, after, a, separator, b, c, dot, end, rest = found.groups()
        time_first = True
    else:
        return None
    clock, before, after = _clock(int(hour), before or "", after or "")
    form = _form(bracket, separator, second is not None, before, after, end, time_first)
    return Head(form, (int(a), int(b), int(c)), clock * 3600 + int(minute) * 60 + int(second or 0), rest, bool(dot))


@lru_cache(maxsize=256)
def _form(  # noqa: PLR0913, PLR0917 - the parts of a head
    bracket: str, separator: str, seconds: bool, before: str, after: str, end: str, time_first: bool
) -> Form:
    return Form(bool(bracket), separator, seconds, before, after, end.strip()[-1:] or "-", time_first)


@lru_cache(maxsize=4096)
def _clock(hour: int, before: str, after: str) -> tuple[int, str, str]:
    """Return the hour of 24, and the words beside it as they stand for the form."""
    for word in (before, after):
        if word and is_period(word):
            hour = hour_of(hour, word)
    before, after = ("half" if w and is_period(w) else worded(w) for w in (before, after))
    return hour, before, after


class Reading(msgspec.Struct):
    """What a file is like if its dates are read in one order."""

    right: int = 0
    """Lines whose date can be."""
    odd: int = 0
    """Lines from before WhatsApp, or from the future."""
    back: int = 0
    """Lines that are earlier than the one before."""
    years: set[int] = msgspec.field(default_factory=set)
    last: int = 0


class Orders:
    """Sees the heads of a file, and says in which order their dates are."""

    def __init__(self) -> None:
        self.readings = {order: Reading() for order in ("dmy", "mdy", "ymd")}
        self._known: dict[tuple[int, int, int], list[tuple[Reading, int]]] = {}
        self._latest = (date.today() + timedelta(days=2)).toordinal()
        self._last: Head | None = None

    def see(self, head: Head) -> None:
        days = self._known.get(head.date)
        if days is None:
            days = self._known[head.date] = self._days(head.date)
        for reading, day in days:
            reading.right += 1
            moment = day * _DAY + head.second
            if moment < reading.last - BACK:
                reading.back += 1
            reading.last = moment
            if not _FIRST <= day <= self._latest:
                reading.odd += 1
        self._last = head

    def chosen(self, asked: bool | None) -> str | None:
        """Return dmy, mdy or ymd; None where day and month could be either way round."""
        head = self._last
        if head is None:
            return None
        for days in self._known.values():
            for reading, day in days:
                reading.years.add(date.fromordinal(day).year)
        if asked is None and head.form.separator == ".":
            # Nobody puts dots after the month that comes first.
            self.readings["mdy"].right -= 1
        return _best(self.readings, self._known, asked, year_like=head.closed and head.form.before == "half")

    def _days(self, numbers: tuple[int, int, int]) -> list[tuple[Reading, int]]:
        days = ((reading, day_of(numbers, order)) for order, reading in self.readings.items())
        return [(reading, day) for reading, day in days if day is not None]


def _best(
    readings: dict[str, Reading], dates: Iterable[tuple[int, int, int]], asked: bool | None, *, year_like: bool
) -> str | None:
    """Choose the reading that all of a file fits; what was asked for decides where more than one does."""
    most = max(r.right for r in readings.values())
    fits = {order: r for order, r in readings.items() if r.right == most}
    sane = {order: r for order, r in fits.items() if r.odd == min(r.odd for r in fits.values())}
    first_day, first_month = "dmy" in fits, "mdy" in fits
    if "ymd" in sane and not (asked is not None and (first_day or first_month)):
        others = [r for order, r in sane.items() if order != "ymd"]
        key = (sane["ymd"].back, len(sane["ymd"].years))
        if not others or key < min((r.back, len(r.years)) for r in others):
            return "ymd"
        if year_like and key <= min((r.back, len(r.years)) for r in others):
            return "ymd"
    if first_day != first_month or all(a == b for a, b, _ in dates):
        return "dmy" if first_day else "mdy"
    if asked is not None:
        return "dmy" if asked else "mdy"
    if ("dmy" in sane) != ("mdy" in sane):
        return "dmy" if "dmy" in sane else "mdy"
    day, month = readings["dmy"].back, readings["mdy"].back
    return None if day == month else "dmy" if day < month else "mdy"


def day_of(numbers: tuple[int, int, int], order: str) -> int | None:
    """Return the day that a date means in an order, counted from the year 1, or None for one that cannot be."""
    first, second, third = numbers
    if (first > 31) > (order == "ymd") or (third > 99 and order == "ymd"):
        return None
    match order:
        case "dmy":
            year, month, day = third, second, first
        case "mdy":
            year, month, day = third, first, second
        case "ymd":
            year, month, day = first, second, third
        case _:
            return None
    return _day(year, month, day)


def _day(year: int, month: int, day: int) -> int | None:
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return None
    if year in _PERSIAN:
        return _persian(year, month, day)
    if year in _HIJRI:
        return _hijri(year, month, day)
    if year < 100:
        year += 2000
    elif year > 2400:
        year -= 543  # the Buddhist calendar of Thai telephones
    try:
        return date(year, month, day).toordinal()
    except ValueError:
        return None


def _persian(year: int, month: int, day: int) -> int:
    """Return a day of the Iranian calendar: leap years as in the cycle of 33 years, which holds from 1343 to 1472."""
    leap = sum((25 * y + 11) % 33 < 8 for y in range(1380, year))
    days = (year - 1380) * 365 + leap + (month - 1) * 30 + min(month - 1, 6) + day - 1
    return date(2001, 3, 21).toordinal() + days


def _hijri(year: int, month: int, day: int) -> int:
    """Return a day of the Islamic calendar by its arithmetic, which is a day off at times."""
    return day + (59 * (month - 1) + 1) // 2 + (year - 1) * 354 + (3 + 11 * year) // 30 + 227_013
