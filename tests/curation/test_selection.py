from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

from idiolect.config import Options
from idiolect.curation import Message, Sample, Source
from idiolect.curation.selection import moment, select, spread

NEWEST = datetime(2026, 6, 30, tzinfo=UTC)


def sample(days_old: int | None) -> Sample:
    when = None if days_old is None else NEWEST - timedelta(days=days_old)
    source = Source(
        memory=f"{days_old}", type="journal", timestamp=when, conversation=None, mode_from="type", prompt_from="memory"
    )
    messages = (Message("user", "?"), Message("assistant", "!"))
    return Sample(id=f"{days_old}", mode="emulation", messages=messages, source=source)


SAMPLES = [sample(d) for d in [*range(400), None]]


def ages(chosen: list[Sample]) -> list[str]:
    return [s.id for s in chosen]


def test_all_are_chosen_unless_fewer_are_asked_for_oldest_first() -> None:
    chosen = select(SAMPLES, Options())
    assert len(chosen) == 401
    assert ages(chosen)[:2] == ["None", "399"]


def test_recent_days_are_whole_and_older_ones_spread_over_time() -> None:
    chosen = select(SAMPLES, Options(days_recent=30, old_samples=10))
    old, recent = chosen[:10], chosen[10:]
    assert ages(recent) == [str(d) for d in range(29, -1, -1)]
    gaps = [b - a for a, b in zip(map(moment, old[1:]), map(moment, old[2:]), strict=False)]
    assert max(gaps) < timedelta(days=80)


def test_the_seed_decides_and_a_maximum_holds() -> None:
    one, again, other = (ages(select(SAMPLES, Options(max_samples=25, seed=s))) for s in (1, 1, 2))
    assert one == again != other
    assert len(one) == 25
    assert select([], Options(days_recent=1)) == []


def test_spread_takes_one_from_each_stretch() -> None:
    chosen = spread(SAMPLES[:100], 10, random.Random(0))
    assert [int(s.id) // 10 for s in chosen] == list(range(10))
    assert spread(SAMPLES, 0, random.Random(0)) == []
