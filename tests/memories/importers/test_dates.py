"""Dates in numbers and in words: what each says, and what all of a file say of each."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from idiolect.memories.importers.cldr import words
from idiolect.memories.importers.dates import Dates, taken_apart
from idiolect.memories.importers.times import iso

READ = {
    "25.03.2024 13:02": "2024-03-25T13:02:00Z",
    "3/25/2024 1:02 PM": "2024-03-25T13:02:00Z",
    "3/25/24, 12:02 a.m.": "2024-03-25T00:02:00Z",
    "Monday, June 12th 2023, 1:02:03 pm": "2023-06-12T13:02:03Z",
    "12. Juni 2023 um 13:02 Uhr": "2023-06-12T13:02:00Z",
    "lundi 12 juin 2023 à 13h02": "2023-06-12T13:02:00Z",
    "2023年6月12日 13:02": "2023-06-12T13:02:00Z",
    "2024. 3. 25. 오후 1:02": "2024-03-25T13:02:00Z",
    "23. 12. 31. 오후 11:59": "2023-12-31T23:59:00Z",
    "25/03/2024 1:02 μ.μ.": "2024-03-25T13:02:00Z",
    "12 มิ.ย. 2023 13:02": "2023-06-12T13:02:00Z",
    "12 tháng 6, 2023 lúc 13:02": "2023-06-12T13:02:00Z",
    "5. maaliskuuta 2024 klo 13.02": "2024-03-05T13:02:00Z",
    "Jun 12, 2023, 1:02:03 PM GMT+02:00": "2023-06-12T11:02:03Z",
    "12.06.2023, 13:02:03 MESZ": "2023-06-12T11:02:03Z",
    "Tue Mar 05 13:02:03 +0000 2024": "2024-03-05T13:02:03Z",
    "2024-3-5": "2024-03-05T00:00:00Z",
    "5 Mar 24": "2024-03-05T00:00:00Z",
    "12 Haziran 2023 Pazartesi": "2023-06-12T00:00:00Z",
    "٥ مارس ٢٠٢٤ ١:٠٢ م": "2024-03-05T13:02:00Z",
}


@pytest.mark.parametrize("text", READ)
def test_a_date_that_leaves_nothing_open(text: str) -> None:
    when = Dates([text]).read(text, UTC)
    assert when is not None
    assert iso(when) == READ[text]


@pytest.mark.parametrize(
    "text",
    ["May", "Shopping list 12", "Chapter 3 of 2024", "1.2.3.4", "31/31/2024", "12 Foo 2024 Anniversary", "", "2024"],
)
def test_what_is_none(text: str) -> None:
    assert Dates([text]).read(text, UTC) is None


@pytest.mark.parametrize(
    ("others", "order"),
    [
        (["13/04/2024"], "2024-04-03T00:00:00Z"),
        (["04/13/2024"], "2024-03-04T00:00:00Z"),
        (["04/04/2024", "01/05/2024", "02/05/2024"], "2024-04-03T00:00:00Z"),
        (["no date", "04/13/2024", "13/13/2024"], "2024-03-04T00:00:00Z"),
    ],
)
def test_the_order_is_that_which_fits_the_whole_file(others: list[str], order: str) -> None:
    dates = Dates(["03/04/2024", *others])
    assert dates.undecided() is None
    when = dates.read("03/04/2024", UTC)
    assert when is not None
    assert iso(when) == order


def test_where_two_orders_fit_it_is_asked() -> None:
    assert Dates(["03/04/2024", "03/04/2024 13:02"]).undecided() == "03/04/2024"
    assert Dates(["03/04/2024"]).read("03/04/2024", UTC) is None
    asked = Dates(["03/04/2024"], day_first=True)
    assert asked.undecided() is None
    assert asked.read("03/04/2024", UTC) == datetime(2024, 4, 3, tzinfo=UTC).timestamp()


def test_a_month_means_what_it_means_in_the_language_of_the_file() -> None:
    polish, croatian = "3 listopada 2024", "3 listopada 2024 "
    assert Dates([polish, "5 grudnia 2024"]).read(polish, UTC) == datetime(2024, 11, 3, tzinfo=UTC).timestamp()
    assert Dates([croatian, "5 prosinca 2024"]).read(croatian, UTC) == datetime(2024, 10, 3, tzinfo=UTC).timestamp()


@settings(max_examples=100, deadline=None)
@given(st.datetimes(datetime(1971, 1, 1), datetime(2068, 12, 31)), st.sampled_from(sorted(words().months)), st.data())
def test_a_date_in_the_words_of_any_language(moment: datetime, language: str, data: st.DataObject) -> None:
    names = [name for name, number in words().months[language].items() if number == moment.month and len(name) > 2]
    if not names or any(c.isdecimal() for c in names[0]):
        return
    month = data.draw(st.sampled_from(names))
    text = data.draw(st.sampled_from(["{0.day} {1} {0.year} {0:%H:%M}", "{1} {0.day}, {0.year} {0:%H:%M}"])).format(
        moment, month
    )
    calendar = [f"1 {name} 2024" for name in words().months[language]]
    when = Dates([text, *calendar]).read(text, UTC)
    if when is not None:  # a word that means two months in this language alone is left open
        assert when == moment.replace(second=0, microsecond=0, tzinfo=UTC).timestamp()


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.text(max_size=40) | st.from_regex(r"[0-9]{1,4}[-./ ][0-9]{1,2}[-./ ][0-9]{1,4}( [0-9:]{1,8})?"), max_size=5
    )
)
def test_no_text_is_too_odd(texts: list[str]) -> None:
    dates = Dates(texts)
    dates.undecided()
    for text in texts:
        when = dates.read(text, UTC)
        assert when is None or taken_apart(text)
        assert when is None or iso(when) or timedelta(seconds=when)
