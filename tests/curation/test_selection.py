from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

from idiolect.config import Mode, Options
from idiolect.curation import Fate
from idiolect.curation.sample import Draft
from idiolect.curation.selection import balance, moment, select, spread

NEWEST = datetime(2026, 6, 30, tzinfo=UTC)


def draft(days_old: int | None, mode: Mode = "emulation") -> Draft:
    when = None if days_old is None else NEWEST - timedelta(days=days_old)
    return Draft(fate=Fate(memory=f"{days_old}", fate="kept"), mode=mode, timestamp=when, sample=b"{}")


DRAFTS = [draft(d) for d in [*range(400), None]]


def ages(chosen: list[Draft]) -> list[str]:
    return [s.fate.memory for s in chosen]


def test_all_are_chosen_unless_fewer_are_asked_for_oldest_first() -> None:
    chosen = select(DRAFTS, Options())
    assert len(chosen) == 401
    assert ages(chosen)[:2] == ["None", "399"]


def test_recent_days_are_whole_and_older_ones_spread_over_time() -> None:
    chosen = select(DRAFTS, Options(days_recent=30, old_samples=10))
    old, recent = chosen[:10], chosen[10:]
    assert ages(recent) == [str(d) for d in range(29, -1, -1)]
    gaps = [b - a for a, b in zip(map(moment, old[1:]), map(moment, old[2:]), strict=False)]
    assert max(gaps) < timedelta(days=80)


def test_the_seed_decides_and_a_maximum_holds() -> None:
    one, again, other = (ages(select(DRAFTS, Options(max_samples=25, seed=s))) for s in (1, 1, 2))
    assert one == again != other
    assert len(one) == 25
    assert select([], Options(days_recent=1)) == []


def test_spread_takes_one_from_each_stretch() -> None:
    chosen = spread(DRAFTS[:100], 10, random.Random(0))
    assert [int(s.fate.memory) // 10 for s in chosen] == list(range(10))
    assert spread(DRAFTS, 0, random.Random(0)) == []


def test_a_month_is_thirty_days_and_three_thousand_older() -> None:
    assert select(DRAFTS, Options(monthly=True)) == DRAFTS[::-1]
    chosen = select(DRAFTS, Options(monthly=True, old_samples=5))
    assert len(chosen) == 30 + 5
    assert len(select(DRAFTS, Options(monthly=True, days_recent=7, old_samples=0))) == 7


def test_half_as_much_of_twice_the_age() -> None:
    chosen = [int(s.fate.memory) for s in select(DRAFTS[:-1], Options(half_life_days=50))]
    counts = [sum(low <= age < low + 50 for age in chosen) for low in (0, 50, 100, 150)]
    assert counts == sorted(counts, reverse=True)
    assert 28 <= counts[0] <= 45
    few = select(DRAFTS[:-1], Options(half_life_days=50, max_samples=40))
    assert len(few) == 40
    assert sum(int(s.fate.memory) for s in few) / 40 < 120
    assert select([], Options(half_life_days=1)) == []


def test_modes_are_thinned_out_to_their_shares() -> None:
    modes: list[Mode] = ["dual", "emulation", "emulation", "emulation", "agent"]
    drafts = [draft(n, modes[n % 5]) for n in range(100)]

    def counts(shares: dict[Mode, float]) -> dict[str, int]:
        kept = balance(drafts, shares, seed=1)
        return {m: sum(s.mode == m for s in kept) for m in ("dual", "emulation", "agent")}

    assert counts({}) == {"dual": 20, "emulation": 60, "agent": 20}
    assert counts({"dual": 1, "emulation": 1, "agent": 1}) == {"dual": 20, "emulation": 20, "agent": 20}
    assert counts({"dual": 1, "emulation": 2}) == {"dual": 20, "emulation": 40, "agent": 20}
    assert counts({"agent": 0}) == {"dual": 20, "emulation": 60, "agent": 0}
