"""Dates as programs write them, in numbers of any order or in words of ninety languages, decided for a whole file.

Whether 3/4 is the third of April, and what a month is called in which language, follows from all dates of a file: the
order counts that most of them fit, then the one in which they run on; where two do both, the person is asked. The words
are CLDR's (`cldr.py`). Tried instead: dateparser 1.5.0, which decides each date by itself, as `12.06.2023, 13:02 MESZ`
for the sixth of December, and `May` for one of this year; it takes 0.8 ms a date, up to a second for what is none.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import cache
from typing import NamedTuple

from idiolect.errors import ExportFault
from idiolect.memories.importers.cldr import hour_of, is_period, worded, words
from idiolect.memories.importers.times import from_clock, from_iso, from_number

_LONGEST = 120
_CLOCK = re.compile(
    r"(?<![\d.:])(\d{1,2})(?:[:h](\d\d)(?:[:m](\d\d)(?:[.,]\d{1,9})?s?)?(?![\d:])"
    r"|[時时시点點]\s?(\d{1,2})[分분](?:\s?(\d{1,2})[秒초])?)"
)
_DOTTED_CLOCK = re.compile(r"\bkl(?:o|ukka)?\.?\s?(\d{1,2})\.(\d\d)(?!\d)", re.IGNORECASE)
_HOUR = re.compile(r"(?<![\d.:])(\d{1,2})\s?([ap]\.?m\.?)(?!\w)", re.IGNORECASE)
_OFFSET = re.compile(r"(?:\b(?:UTC|GMT|Z)\s?)?([+\u2212-])(\d{1,2}):?(\d\d)?\b|\b(?:UTC|GMT|Z)\b")
_NUMBER = re.compile(r"\d+")
#: Up to a digit or a sign: signs above and below letters belong to it, and dots of what is cut short.
_WORD = re.compile(r"[^\W\d_][^\d\s,;:/()_-]*")
_SPACED_HALF = re.compile(r"\b([ap])\.\s?m\b\.?", re.IGNORECASE)
#: Behind a time of day, before the year.
_INNER_OFFSET = re.compile(r"\s([+-])(\d\d):?(\d\d)(?=\s|$)")
#: In Vietnamese the month is a number behind this word, and the day before it.
_MONTH_AHEAD = re.compile(r"\b(?:tháng|thg)\b", re.IGNORECASE)
_ALL_DOTTED = re.compile(r"\d{1,2}\.\s?\d{1,2}\.\s?\d{1,2}\.")
#: Hours east of Greenwich, of zones that go by a name which means one thing alone in practice.
_ZONES = {
    "WET": 0, "WEST": 1, "BST": 1, "CET": 1, "CEST": 2, "MEZ": 1, "MESZ": 2, "HNEC": 1, "HAEC": 2, "EET": 2,
    "EEST": 3,
    "MSK": 3, "EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7, "JST": 9,
    "KST": 9, "HKT": 8, "SGT": 8, "BRT": -3, "ART": -3, "AEST": 10, "AEDT": 11, "NZST": 12, "NZDT": 13,
}  # fmt: skip
#: Of words that are none of a date, those in a date (de, kl, uhr) are no longer.
_SMALL = 6

#: Where year, month and day stand.
_ORDERS = {"ymd": (0, 1, 2), "dmy": (2, 1, 0), "mdy": (2, 0, 1)}
_DAY_FIRST = {True: "dmy", False: "mdy"}


class Written(NamedTuple):
    """A date that was taken apart, and of which the order is still open."""

    numbers: tuple[int, ...]
    """Three, or beside a month in words two, as they stand."""
    year: int
    """Which of them has four digits; -1: none."""
    month: str
    """In words."""
    orders: tuple[str, ...]
    """Which orders they may have."""
    clock: tuple[int, int, int] | None
    zone: tzinfo | None


def taken_apart(text: str) -> Written | None:
    """Take a date apart; None for what is none, or says more than a date."""
    if len(text) > _LONGEST:
        return None
    text = _SPACED_HALF.sub(r"\1m", " ".join(unicodedata.normalize("NFKC", text).split()))
    clock, text, half = _clock(text)
    zone, text = _zone(text) if clock else (None, text)
    month = ""
    for found in _WORD.finditer(text):
        word = worded(found[0])
        if word in _months():
            if month and month != word:
                return None
            month = word
        elif len(word) > _SMALL and word not in _weekdays():
            return None
        elif clock and is_period(found[0]):
            half = half or found[0]
    numbers = [n[0] for n in _NUMBER.finditer(text)]
    if len(numbers) != (2 if month else 3) or any(len(n) > 2 and len(n) != 4 for n in numbers):
        return None
    years = [at for at, n in enumerate(numbers) if len(n) == 4]
    if len(years) > 1 or (years == [1] and not month):
        return None
    if clock and half:
        clock = hour_of(clock[0], half), *clock[1:]
    year = years[0] if years else -1
    return Written(tuple(map(int, numbers)), year, month, _orders(text, year), clock, zone)


def _clock(text: str) -> tuple[tuple[int, int, int] | None, str, str]:
    """Return the time of day, the text without it, and which half of the day it says that that is."""
    if found := _CLOCK.search(text):
        return (
            (int(found[1]), int(found[2] or found[4]), int(found[3] or found[5] or 0)),
            f"{text[: found.start()]} {text[found.end() :]}",
            "",
        )
    if found := _DOTTED_CLOCK.search(text):
        return (int(found[1]), int(found[2]), 0), f"{text[: found.start()]} {text[found.end() :]}", ""
    if found := _HOUR.search(text):
        return (int(found[1]), 0, 0), f"{text[: found.start()]} {text[found.end() :]}", found[2]
    return None, text, ""


def _zone(text: str) -> tuple[tzinfo | None, str]:
    for found in _WORD.finditer(text):
        if found[0] in _ZONES:
            # China's time has the name of Chicago's.
            hours = 8 if found[0] == "CST" and "年" in text else _ZONES[found[0]]
            return timezone(timedelta(hours=hours)), text.replace(found[0], " ", 1)
    signed = _INNER_OFFSET.search(text) or _OFFSET.search(text)
    # A sign between numbers of a date is none of an offset.
    if not signed or not (signed.re is _INNER_OFFSET or signed[0][0] in "UGZ" or signed.end() == len(text)):
        return None, text
    minutes = int(signed[2] or 0) * 60 + int(signed[3] or 0)
    if minutes >= 24 * 60:
        return None, text
    east = -minutes if signed[1] in ("-", "\u2212") else minutes
    return timezone(timedelta(minutes=east)), f"{text[: signed.start()]} {text[signed.end() :]}"


@cache
def _months() -> dict[str, dict[int, set[str]]]:
    """Return for each word the months that it means, and in which languages."""
    found: dict[str, dict[int, set[str]]] = {}
    for language, names in words().months.items():
        for word, number in names.items():
            if len(word) > 1 or not word.isascii():
                found.setdefault(word, {}).setdefault(number, set()).add(language)
    return found


@cache
def _weekdays() -> frozenset[str]:
    return frozenset(part for names in words().days.values() for word in names for part in (word, *word.split("-")))


def is_month(word: str) -> bool:
    """Tell whether a word is the name of a month in some language."""
    return worded(word) in _months()


class Dates:
    """The dates of a file: first all are seen, then each is read."""

    def __init__(self, texts: Iterable[str] = (), *, day_first: bool | None = None) -> None:
        self._day_first = day_first
        self._fit: dict[int, Counter[str]] = {}
        """By where the year stands: how many dates fit an order."""
        self._last: dict[tuple[int, str], datetime] = {}
        self._back: Counter[tuple[int, str]] = Counter()
        self._on: Counter[tuple[int, str]] = Counter()
        self._languages: Counter[str] = Counter()
        self._open: dict[int, str] = {}
        for text in texts:
            self.see(text)

    def see(self, text: str) -> None:
        written = taken_apart(text)
        if not written:
            return
        if written.month:
            self._languages.update({lang for langs in _months()[written.month].values() for lang in langs})
            return
        moments = {order: m for order in written.orders if (m := _moment(written, _placed(written.numbers, order)))}
        fit = self._fit.setdefault(written.year, Counter())
        if len(moments) > 1:
            self._open.setdefault(written.year, text)
        for order, moment in moments.items():
            fit[order] += 1
            place = written.year, order
            last = self._last.get(place, moment)
            self._back[place] += moment < last
            self._on[place] += moment > last
            self._last[place] = moment

    def undecided(self) -> str | None:
        """Return a date of which nothing tells whether the day or the month comes first, if there is one."""
        return next((text for year, text in self._open.items() if self._order(year) is None), None)

    def read(self, text: str, zone: tzinfo | None, *, noon: bool = False) -> float | None:
        """Return when a date was, in seconds since 1970; one without a time of day at midnight or noon."""
        written = taken_apart(text)
        if not written:
            return None
        if written.month:
            numbers = self._with_month(written)
        else:
            order = self._order(written.year)
            numbers = _placed(written.numbers, order) if order else None
        moment = _moment(written, numbers, noon=noon) if numbers else None
        return from_clock(moment, zone) if moment else None

    def _order(self, year: int) -> str | None:
        fit = self._fit.get(year, Counter())
        most = max(fit.values(), default=0)
        best = [order for order, count in fit.items() if count == most]
        if self._day_first is not None and _DAY_FIRST[self._day_first] in best:
            return _DAY_FIRST[self._day_first]
        if len(best) > 1:
            running = [o for o in best if self._on[year, o] > 1 and not self._back[year, o]]
            running = running or [o for o in best if self._back[year, o] > 1 and not self._on[year, o]]
            best = running if len(running) == 1 else best
        return best[0] if len(best) == 1 else None

    def _with_month(self, written: Written) -> tuple[int, int, int] | None:
        meant = _months()[written.month]
        month = max(meant, key=lambda m: max(self._languages[lang] for lang in meant[m]))
        if len(meant) > 1 and sum(max(self._languages[x] for x in meant[m]) == self._most for m in meant) != 1:
            return None
        first, second = written.numbers
        year, day = (first, second) if written.year == 0 else (second, first)
        return year, month, day

    @property
    def _most(self) -> int:
        return max(self._languages.values(), default=0)


def _orders(text: str, year: int) -> tuple[str, ...]:
    """Return the orders that a date can have by its signs and by where a number of four digits stands (-1: nowhere)."""
    if year == 0 or (year < 0 and _ALL_DOTTED.search(text)):
        return ("ymd",)
    # Nobody writes a dot between a month and the day behind it.
    orders = ("dmy",) if re.search(r"\d\.\s?\d", text) or _MONTH_AHEAD.search(text) else ("dmy", "mdy")
    return orders if year == 2 else (*orders, "ymd")


def _placed(numbers: tuple[int, ...], order: str) -> tuple[int, int, int]:
    year, month, day = (numbers[place] for place in _ORDERS[order])
    return year, month, day


def _moment(written: Written, numbers: tuple[int, int, int], *, noon: bool = False) -> datetime | None:
    year, month, day = numbers
    if written.year < 0:
        year += 2000 if year < 70 else 1900
    try:
        return datetime(year, month, day, *(written.clock or (12 if noon else 0, 0, 0)), tzinfo=written.zone)
    except ValueError:
        return None


def instant(value: object, zone: tzinfo | None) -> float | None:
    """Read a date that leaves nothing open: ISO 8601, perhaps with UTC behind it, or (milli)seconds since 1970."""
    when = from_iso(value, zone)
    if when is None and isinstance(value, str) and value.endswith(" UTC"):
        return from_iso(value[:-4], UTC)
    if when is None:
        when = from_number(value) if from_number(value) is not None else from_number(value, 1000)
    return when


def undecided(where: str, text: str) -> ExportFault:
    """Return the fault of dates that could be two."""
    return ExportFault(
        f"{where}: no date in it tells whether the day or the month comes first, as in “{text}”.",
        "Say which, with --day-first or --month-first.",
    )
