"""Words of CLDR: the table is what the script makes of Babel, and says what clocks mean."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from idiolect.memories.importers.cldr import hour_of, is_period, words
from idiolect.memories.importers.whatsapp_lines import head_of
from idiolect.memories.importers.worded_dates import from_words

SCRIPT = Path(__file__).parents[3] / "scripts" / "write_cldr.py"


@pytest.mark.parametrize(
    ("word", "hours"),
    [
        ("p. m.", {12: 12, 1: 13, 11: 23}),
        ("ÖÖ", {12: 0, 1: 1, 11: 11}),
        ("μ.μ.", {12: 12, 3: 15}),
        ("凌晨", {12: 0, 3: 3}),
        ("半夜", {11: 23, 12: 0, 1: 1}),
        ("中午", {12: 12}),
        ("ب.ظ.", {3: 15}),
        ("오전", {12: 0, 9: 9}),
    ],
)
def test_what_a_clock_of_twelve_hours_means(word: str, hours: dict[int, int]) -> None:
    assert {hour: hour_of(hour, word) for hour in hours} == hours


def test_other_words_by_a_time_are_no_times_of_the_day() -> None:
    assert not any(map(is_period, ("Uhr", "klo", "à", "ч.", "u", "h", "", "Treffen")))


def test_the_table_is_what_the_script_makes() -> None:
    pytest.importorskip("babel")
    assert subprocess.run([sys.executable, str(SCRIPT), "--check"], check=False).returncode == 0


def test_heads_of_whatsapp_and_dates_in_words_are_read_as_every_language_writes_them() -> None:
    """Mongolian alone is not: it writes its months as two words with an ending."""
    pytest.importorskip("babel")
    from babel import Locale
    from babel.dates import format_date, format_time

    new_year = datetime(2023, 12, 31, 23, 59, 7)
    unread = set()
    for name in words().months:
        locale = Locale.parse(name)
        day = format_date(new_year, format="short", locale=locale)
        shown = locale.time_formats["short"].pattern
        twelve = "short" if "a" in shown or "B" in shown else "h:mm a"
        for clock in (twelve, "HH:mm"):
            time = format_time(new_year, format=clock, locale=locale)
            for line in (f"{day}, {time} - Ada: hi", f"[{day} {time}] Ada: hi"):
                head = head_of(line)
                assert head, line
                assert (head.second, head.rest) == (86_340, "Ada: hi"), line
        for form in ("full", "long"):
            date = f"{format_date(new_year, format=form, locale=locale)} {new_year:%H:%M:%S} UTC"
            if from_words(date) != new_year.replace(tzinfo=UTC).timestamp():
                unread.add(name)
    assert unread == {"mn"}
