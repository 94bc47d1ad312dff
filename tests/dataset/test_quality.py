from __future__ import annotations

from datetime import UTC, datetime

import pytest

from idiolect.curation import Fate, Message, Sample, Source
from idiolect.dataset import figures, measure, report_html


def sample(
    name: str, *turns: str, mode: str = "emulation", prompt_from: str = "memory", said: datetime | None = None
) -> Sample:
    source = Source(
        memory=name,
        type="chat",
        timestamp=said,
        conversation=None,
        mode_from="type",
        prompt_from=prompt_from,  # type: ignore[arg-type]
    )
    messages = tuple(Message("assistant" if n % 2 else "user", text) for n, text in enumerate(turns))
    return Sample(id=name, mode=mode, messages=messages, source=source)  # type: ignore[arg-type]


SAMPLES = [
    sample("a", "Hi?", "The wind is from the west and it rains."),
    sample("b", "Hi?", "Rain.", "And?", "Rain, rain."),
    sample("c", "Hva?", "Det regner i dag, og vinden er fra vest.", mode="dual", prompt_from="invented"),
    sample("d", "Hi?", " ".join(["word"] * 101)),
]
FATES = [
    Fate(memory="a", fate="kept", sample="a", filler=True),
    Fate(memory="b", fate="kept", sample="b", masked={"[email]": 2}),
    Fate(memory="c", fate="kept", sample="c", masked={"[email]": 1}),
    Fate(memory="d", fate="kept", sample="d", detail="by hand; cut to max_seq_length"),
    Fate(memory="e", fate="dropped", rule="said before"),
    Fate(memory="<script>", fate="dropped", rule="<script>alert(1)</script>"),
]
TOKENS = {"a": 10, "b": 20, "c": 30, "d": 200}


def test_a_data_set_is_measured() -> None:
    nearly = sample("y", "?", "Det regner i dag, men vinden er fra vest.")
    q = measure(SAMPLES, FATES, TOKENS, [SAMPLES[0], SAMPLES[0], sample("z", "?", "Other."), nearly])
    assert (q.samples, q.turns_of_theirs, q.words) == (4, 5, 9 + 1 + 2 + 9 + 101)
    assert (q.short_share, q.long_share, q.filler_share) == (0.75, 0.25, 0.25)
    assert (q.multi_turn_share, q.asked_by_nobody_share) == (0.25, 0.25)
    assert q.modes == {"dual": 0.25, "emulation": 0.75, "agent": 0}
    assert q.words_median == 9
    assert q.words_mean == pytest.approx(122 / 5)
    # the wind is from west and it rains · rain · det regner i dag og vinden er fra vest · word
    assert q.vocabulary == 8 + 1 + 9 + 1
    assert (q.tokens, q.tokens_median, q.tokens_longest, q.too_long) == (260, 25, 200, 1)
    assert q.dropped == {"said before": 1, "<script>alert(1)</script>": 1}
    assert q.masked == {"[email]": 3}
    assert (q.in_earlier_runs, q.nearly_in_earlier_runs) == (1, 1)
    assert q.lengths == {"1 to 10": 3, "101 to 300": 1}
    assert q.over_time == {"no date": 4}
    assert set(q.languages) >= {"en"}
    assert sum(q.languages.values()) == pytest.approx(1)


def test_nothing_at_all_can_be_measured() -> None:
    q = measure([], [], {})
    assert (q.samples, q.words_mean, q.tokens_longest, q.languages) == (0, 0, 0, {})


def test_the_page_shows_every_figure_and_no_memory_becomes_html() -> None:
    q = measure(SAMPLES, FATES, TOKENS)
    page = report_html("The data set of <ada>", q)
    for name, value, _ in figures(q):
        assert name in page
        assert value in page
    assert "<script>" not in page
    assert "&lt;ada&gt;" in page
    assert "http" not in page


def test_samples_are_counted_by_month_and_over_many_years_by_year() -> None:
    few = [sample(f"{n}", "?", f"{n}.", said=datetime(2026, 1 + n % 3, 1, tzinfo=UTC)) for n in range(9)]
    assert measure(few, [], {}).over_time == {"2026-01": 3, "2026-02": 3, "2026-03": 3}
    many = [sample(f"{n}", "?", f"{n}.", said=datetime(1660 + n, 1 + n % 12, 1, tzinfo=UTC)) for n in range(40)]
    assert measure(many, [], {}).over_time == {f"{year}": 1 for year in range(1660, 1700)}
