"""Words for months, weekdays and times of the day in ninety languages, as Unicode's CLDR has them.

The table, cldr.json, is written by scripts/write_cldr.py.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from importlib import resources

import msgspec

_LEFT_OUT = re.compile(r"[\s.\u200b-\u200f\u202a-\u202e\u2066-\u2069\u061c\u00a0\u202f'’״\"]+")


class Words(msgspec.Struct, frozen=True):
    """Months and weekdays by language, times of the day by themselves; each word as `worded` has it."""

    months: dict[str, dict[str, int]]
    days: dict[str, dict[str, int]]
    """Monday is 0."""
    periods: dict[str, tuple[int, int]]
    """The first hour, and the one after the last, which is over 24 if that is past midnight."""


def worded(word: str) -> str:
    """Return a word as it is looked up: small letters without dots, spaces and marks that nobody sees."""
    return _LEFT_OUT.sub("", unicodedata.normalize("NFKC", word).casefold())


@cache
def words() -> Words:
    """Return the table."""
    return msgspec.json.decode(resources.files(__package__).joinpath("cldr.json").read_bytes(), type=Words)


@cache
def is_period(word: str) -> bool:
    """Tell whether a word says which half of the day a clock's hour is in."""
    return bool(word) and worded(word) in words().periods


def hour_of(hour: int, word: str) -> int:
    """Return the hour of 24 that a twelve-hour clock means by a time of the day, as 11 and `PM` are 23."""
    first, end = words().periods[worded(word)]
    if hour > 12:
        return hour
    early, late = hour % 12, hour % 12 + 12
    return (
        late
        if first <= late < end or not first <= (early if end <= 24 or early >= first else early + 24) < end
        else early
    )
