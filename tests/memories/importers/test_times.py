from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idiolect.memories.importers.times import from_clock, from_english, from_iso, from_number, iso, moment

OSLO = ZoneInfo("Europe/Oslo")


@given(st.datetimes(datetime(2, 1, 1), datetime(9999, 12, 1), timezones=st.just(UTC)))
def test_every_date_goes_there_and_back(when: datetime) -> None:
    # To the millisecond: seconds since 1970 are a float, whose last bit is thirty microseconds in the year 9999.
    when = when.replace(microsecond=when.microsecond // 1000 * 1000)
    seconds = from_iso(when.isoformat())
    assert seconds is not None
    assert abs(moment(seconds) - when) < timedelta(milliseconds=1)
    assert iso(seconds)[:-1] == when.replace(tzinfo=None, microsecond=0).isoformat()


@pytest.mark.parametrize(
    "value",
    [None, True, "soon", "nan", "1e999", [], {}, 10**400, float("inf"), "0000-01-01", "9999-12-31T23:59:59-14:00"],
)
def test_what_is_no_date_is_none(value: Any) -> None:
    assert from_number(value) is None
    assert from_iso(value) is None


def test_clocks_keep_summer_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Europe/Oslo")
    time.tzset()
    try:
        for zone in (OSLO, None):
            assert iso(from_clock(datetime(2024, 7, 1, 12), zone) or 0.0) == "2024-07-01T10:00:00Z"
            assert iso(from_clock(datetime(2024, 12, 1, 12), zone) or 0.0) == "2024-12-01T11:00:00Z"
        assert iso(from_clock(datetime(2024, 7, 1, 12, tzinfo=timezone(timedelta(hours=9))), OSLO) or 0.0).endswith(
            "T03:00:00Z"
        )
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("Tuesday, March 5, 2024 at 1:02:03 PM UTC", "2024-03-05T13:02:03Z"),
        ("Tuesday, March 5, 2024 at 12:02:03\u202fAM UTC", "2024-03-05T00:02:03Z"),
        ("Mar 05, 2024 12:02:03 PM", "2024-03-05T11:02:03Z"),
        ("Mar 05, 2024  1:02:03 AM (Read by you after 5 seconds)", "2024-03-05T00:02:03Z"),
    ],
)
def test_american_dates_are_read_in_any_country(text: str, day: str) -> None:
    assert iso(from_english(text, OSLO) or 0.0) == day


@pytest.mark.parametrize("text", ["", "5 mars 2024", "Foo 5, 2024 1:02 PM", "Feb 31, 2024 1:02 PM"])
def test_other_dates_are_none(text: str) -> None:
    assert from_english(text) is None
