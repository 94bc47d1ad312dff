"""Dates in words, as Google writes them in the language of an account: "mardi 5 mars 2024 à 13:02:03 UTC".

What is a year, a day and a time shows by itself; the month is looked up in ninety languages at once. Where a word is
one month here and another there (listopad), the weekday beside it tells which language it is.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from functools import cache

from idiolect.memories.importers.cldr import hour_of, is_period, worded, words
from idiolect.memories.importers.times import from_clock, from_english

_CLOCK = re.compile(
    r"(?<!\d)(?P<hour>\d{1,2})(?:\.|\s?[:時时시h]\s?)(?P<minute>\d\d)\s?[:.分분m]\s?(?P<second>\d\d)\s?[秒초s]?(?!\d)"
    r"|(?P<hour3>\d{1,2})\s?[時时시]\s?(?P<minute3>\d{1,2})\s?[分분]\s?(?P<second3>\d{1,2})\s?[秒초]"
    r"|(?P<hour2>\d{1,2})\s?[:時时시h]\s?(?P<minute2>\d\d)(?!\d)"
)
_ZONE = re.compile(r"\b(?:UTC|GMT|Z)(?:\s?([+\u2212-])(\d{1,2})(?::?(\d\d))?)?\b")
_EASTERN = re.compile(r"(\d{4})\s?[年년]\s?(\d{1,2})\s?[月월]\s?(\d{1,2})\s?[日일]")
_VIETNAMESE = re.compile(r"(\d{1,2})\s+tháng\s+(\d{1,2}),?\s+(?:năm\s+)?(\d{4})", re.IGNORECASE)
_SPLIT = re.compile(r"[\s\d,،、()/\u2013\u2014-]+")
#: An ending is put to no shorter word.
_STEM = 4
_NUMBER = re.compile(r"\d+")


def from_words(text: str, zone: tzinfo | None = UTC) -> float | None:
    """Read a date in words with its time of the day; one that says no offset was read off a clock in `zone`."""
    if (when := from_english(text, zone)) is not None:
        return when
    text = " ".join(unicodedata.normalize("NFKC", text[:120]).split())
    clock = _CLOCK.search(text)
    if not clock:
        return None
    hour, minute, second = (int(part) for part in (*filter(None, clock.groups()), "0")[:3])
    named = _ZONE.search(text)
    rest = f"{text[: clock.start()]} {text[clock.end() :]}"
    if named:
        rest = _ZONE.sub(" ", rest)
    tokens = [t for t in _SPLIT.split(rest) if t.strip(".")]
    for token in tokens:
        if is_period(token):
            hour = hour_of(hour, token)
    day = _day(rest, tokens)
    if day is None:
        return None
    try:
        moment = datetime(day.year, day.month, day.day, hour, minute, second)
    except ValueError:
        return None
    return from_clock(moment, _offset(named) if named else zone)


def _day(rest: str, tokens: list[str]) -> date | None:
    if found := _EASTERN.search(rest):
        return _date(int(found[1]), int(found[2]), int(found[3]))
    if found := _VIETNAMESE.search(rest):
        return _date(int(found[3]), int(found[2]), int(found[1]))
    numbers = [int(n) for n in _NUMBER.findall(rest)]
    years = [n for n in numbers if n > 999]
    days = [n for n in numbers if n <= 31]
    if len(years) != 1 or len(days) != 1:
        return None
    months, weekdays = _by_word()
    found_months = {lang: n for t in tokens for lang, n in months.get(worded(t)) or _inflected(worded(t), months)}
    found_days = {lang: n for t in tokens for lang, n in weekdays.get(worded(t), ())}
    dates = {lang: _date(years[0], n, days[0]) for lang, n in found_months.items()}
    agreeing = {d for lang, d in dates.items() if d and found_days.get(lang) == d.weekday()}
    likely = agreeing or {d for d in dates.values() if d}
    return next(iter(likely)) if len(likely) == 1 else None


def _inflected(token: str, months: dict[str, list[tuple[str, int]]]) -> list[tuple[str, int]]:
    """Return what a word could be with a letter before it, as in Hebrew, or an ending, as in Basque."""
    stems = [token[1:], *(token[:n] for n in range(len(token) - 1, _STEM, -1))] if len(token) > _STEM else [token[1:]]
    return next((months[stem] for stem in stems if len(stem) > 2 and stem in months), [])


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year - 543 if year > 2400 else year, month, day)
    except ValueError:
        return None


def _offset(named: re.Match[str]) -> tzinfo:
    if not named[1]:
        return UTC
    ahead = timedelta(hours=min(int(named[2]), 23), minutes=int(named[3] or 0))
    return timezone(ahead if named[1] == "+" else -ahead)


@cache
def _by_word() -> tuple[dict[str, list[tuple[str, int]]], dict[str, list[tuple[str, int]]]]:
    """Return of each word in which languages it is which month, and in which it is which weekday."""
    indexes: list[dict[str, list[tuple[str, int]]]] = []
    for table in (words().months, words().days):
        index: dict[str, list[tuple[str, int]]] = {}
        for lang, entries in table.items():
            for word, number in entries.items():
                index.setdefault(word, []).append((lang, number))
        indexes.append(index)
    return indexes[0], indexes[1]
