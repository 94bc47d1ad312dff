from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from idiolect.config import Mode, Options
from idiolect.curation import Fate
from idiolect.curation.sample import Draft
from idiolect.curation.selection import FEW, balance, moment, select, spread, thin_out

NEWEST = datetime(2026, 6, 30, tzinfo=UTC)


def draft(days_old: int | None, mode: Mode = "emulation") -> Draft:
    when = None if days_old is None else NEWEST - timedelta(days=days_old)
    return Draft(fate=Fate(memory=f"{days_old}", fate="kept"), mode=mode, timestamp=when, sample=b"{}")


DRAFTS = [draft(d) for d in [*range(400), None]]


def chosen_of(samples: list[Draft], options: Options, now: datetime = NEWEST) -> list[Draft]:
    return select(samples, options, now)[0]


def ages(chosen: list[Draft]) -> list[str]:
    return [s.fate.memory for s in chosen]


def test_all_are_chosen_unless_fewer_are_asked_for_oldest_first() -> None:
    chosen = chosen_of(DRAFTS, Options())
    assert len(chosen) == 401
    assert ages(chosen)[:2] == ["None", "399"]


def test_recent_days_are_whole_and_older_ones_spread_over_time() -> None:
    chosen = chosen_of(DRAFTS, Options(days_recent=30, old_samples=10))
    old, recent = chosen[:10], chosen[10:]
    assert ages(recent) == [str(d) for d in range(29, -1, -1)]
    gaps = [b - a for a, b in zip(map(moment, old[1:]), map(moment, old[2:]), strict=False)]
    assert max(gaps) < timedelta(days=80)


def test_the_seed_decides_and_a_maximum_holds() -> None:
    one, again, other = (ages(chosen_of(DRAFTS, Options(max_samples=25, seed=s))) for s in (1, 1, 2))
    assert one == again != other
    assert len(one) == 25
    assert chosen_of([], Options(days_recent=1)) == []


def test_spread_takes_one_from_each_stretch() -> None:
    chosen = spread(DRAFTS[:100], 10, random.Random(0))
    assert [int(s.fate.memory) // 10 for s in chosen] == list(range(10))
    assert spread(DRAFTS, 0, random.Random(0)) == []


def test_a_month_is_thirty_days_and_three_thousand_older() -> None:
    chosen, said = select(DRAFTS, Options(monthly=True), NEWEST)
    assert chosen == DRAFTS[::-1]
    assert said == "the 30 days since 2026-05-31: all 30; of 371 older ones 371"
    chosen = chosen_of(DRAFTS, Options(monthly=True, old_samples=5))
    assert len(chosen) == 30 + 5
    assert len(chosen_of(DRAFTS, Options(monthly=True, days_recent=7, old_samples=0))) == 7


def test_half_as_much_of_twice_the_age() -> None:
    chosen = [int(s.fate.memory) for s in chosen_of(DRAFTS[:-1], Options(half_life_days=50))]
    counts = [sum(low <= age < low + 50 for age in chosen) for low in (0, 50, 100, 150)]
    assert counts == sorted(counts, reverse=True)
    assert 28 <= counts[0] <= 45
    few = chosen_of(DRAFTS[:-1], Options(half_life_days=50, max_samples=40))
    assert len(few) == 40
    assert sum(int(s.fate.memory) for s in few) / 40 < 120
    assert chosen_of([], Options(half_life_days=1)) == []


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


def test_old_samples_alone_mean_thirty_days_and_so_many_older_ones() -> None:
    assert chosen_of(DRAFTS, Options(old_samples=5)) == chosen_of(DRAFTS, Options(days_recent=30, old_samples=5))
    assert len(chosen_of(DRAFTS, Options(old_samples=5))) == 35
    assert len(chosen_of(DRAFTS, Options(old_samples=0))) == 30
    assert len(chosen_of(DRAFTS, Options(days_recent=7))) == 401


@pytest.mark.parametrize("ahead", [timedelta(days=1), timedelta(days=40), timedelta(days=365 * 900)])
def test_a_memory_dated_in_the_future_makes_no_other_old(ahead: timedelta) -> None:
    wrong = Draft(fate=Fate(memory="wrong", fate="kept"), timestamp=NEWEST + ahead, sample=b"{}")
    chosen, said = select([*DRAFTS, wrong], Options(days_recent=30, old_samples=0), NEWEST + timedelta(hours=1))
    assert ages(chosen) == [*(str(d) for d in range(29, -1, -1)), "wrong"]
    assert said.endswith("1 dated in the future, taken for recent")
    many = chosen_of([*DRAFTS, wrong], Options(half_life_days=50), NEWEST)
    assert len(many) > 20


def test_days_are_counted_by_the_clock_and_where_those_are_empty_from_the_newest_memory() -> None:
    ten_days_later = select(DRAFTS, Options(days_recent=30, old_samples=0), NEWEST + timedelta(days=10))
    assert ages(ten_days_later[0]) == [str(d) for d in range(19, -1, -1)]
    for later in (timedelta(days=31), timedelta(days=400)):
        chosen, said = select(DRAFTS, Options(days_recent=30, old_samples=0), NEWEST + later)
        assert len(chosen) == 30
        assert said.startswith("the 30 days before 2026-06-30, the newest memory")


def test_a_clock_before_every_memory_harms_nothing() -> None:
    """It was set back, or stands at 1970: all memories are in the future, and all are recent."""
    dated = DRAFTS[:-1]
    chosen, said = select(dated, Options(days_recent=30, old_samples=0), datetime(1970, 1, 1, tzinfo=UTC))
    assert len(chosen) == 400
    assert "400 dated in the future" in said
    assert chosen_of(DRAFTS, Options(days_recent=10**8, old_samples=0)) == DRAFTS[-2::-1]


def test_the_same_moment_selects_the_same_whatever_the_clock_says_later() -> None:
    began = NEWEST + timedelta(days=3)
    options = Options(days_recent=30, old_samples=20)
    assert select(DRAFTS, options, began) == select(DRAFTS[::-1], options, began)


def inner(number: int) -> Draft:
    when = NEWEST - timedelta(days=number)
    return Draft(
        fate=Fate(memory=f"i{number}", fate="kept"), mode="dual", timestamp=when, sample=b"{}", inner_life=True
    )


def test_inner_life_does_not_drown_the_rest() -> None:
    dreams = [inner(n) for n in range(300)]
    kept = thin_out([*DRAFTS[:200], *dreams], 0.3, seed=1)
    assert sum(d.inner_life for d in kept) == 60
    assert [d for d in kept if not d.inner_life] == DRAFTS[:200]
    ages_kept = sorted(int(d.fate.memory[1:]) for d in kept if d.inner_life)
    assert max(b - a for a, b in pairwise(ages_kept)) < 10
    assert kept == thin_out([*DRAFTS[:200], *dreams], 0.3, seed=1)


def test_a_little_inner_life_is_kept_whole_unless_none_is_wanted() -> None:
    dreams = [inner(n) for n in range(FEW)]
    assert thin_out(dreams, 0.03, seed=1) == dreams
    assert sum(d.inner_life for d in thin_out([*dreams, inner(FEW)], 0.03, seed=1)) == FEW
    assert thin_out([*DRAFTS[:3], *dreams], 0, seed=1) == DRAFTS[:3]
