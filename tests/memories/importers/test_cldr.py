"""Words of CLDR: the table is what the script makes of Babel, and says what clocks mean."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from idiolect.memories.importers.cldr import hour_of, is_period

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
