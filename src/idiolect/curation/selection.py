"""Which samples are trained on when not all are: the last days whole, and older ones spread over time."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from idiolect.config import Mode, Options
from idiolect.curation.sample import Draft

#: The options that decide which samples there are.
SELECTION = frozenset(
    {
        "mode",
        "max_samples",
        "days_recent",
        "old_samples",
        "monthly",
        "half_life_days",
        "dataset_builder",
        "seed",
    }
)
MONTH = 30
OLD_SAMPLES = 3000
#: So much of a person's inner life drowns nothing that they say otherwise.
FEW = 50
_UNDATED = datetime.min.replace(tzinfo=UTC)


def moment(draft: Draft) -> datetime:
    """Return when the sample was said; one without a date counts as the oldest."""
    return draft.timestamp or _UNDATED


def select(samples: Sequence[Draft], options: Options, now: datetime) -> tuple[list[Draft], str]:
    """Return the chosen samples, oldest first, and in words how they were chosen.

    Same samples, options, seed and `now`: same choice.
    """
    chosen = sorted(samples, key=lambda s: (s.timestamp or _UNDATED, s.fate.memory))
    draw = random.Random(options.seed)  # noqa: S311 - a choice that can be repeated, not a secret
    monthly = options.monthly or options.old_samples is not None
    days_recent = options.days_recent or (MONTH if monthly else None)
    said = []
    if days_recent and chosen:
        old_samples = OLD_SAMPLES if options.old_samples is None else options.old_samples
        border, why = _border(chosen, days_recent, now)
        older = [s for s in chosen if moment(s) <= border]
        recent = [s for s in chosen if moment(s) > border]
        some = spread(older, old_samples, draw)
        said.append(f"{why}: all {len(recent):,}; of {len(older):,} older ones {len(some):,}")
        if ahead := sum(moment(s) > now for s in recent):
            said.append(f"{ahead:,} dated in the future, taken for recent")
        chosen = some + recent
    before = len(chosen)
    if options.half_life_days:
        chosen = _by_age(chosen, options.half_life_days, options.max_samples, draw, now)
        said.append(f"{len(chosen):,} of {before:,} by age, half as many from each {options.half_life_days:g} days")
    elif options.max_samples is not None and options.max_samples < before:
        chosen = spread(chosen, options.max_samples, draw)
        said.append(f"{len(chosen):,} of {before:,}, spread over time")
    return chosen, "; ".join(said)


def thin_out(samples: Sequence[Draft], share: float, seed: int) -> list[Draft]:
    """Keep at most `share` of inner life for each other sample, spread over time; `FEW` of it, unless that is 0."""
    inner = [s for s in samples if s.inner_life]
    allowed = max(FEW, round(share * (len(samples) - len(inner)))) if share else 0
    if len(inner) <= allowed:
        return list(samples)
    in_order = sorted(inner, key=lambda s: (moment(s), s.fate.memory))
    kept = {s.fate.memory for s in spread(in_order, allowed, random.Random(seed))}  # noqa: S311
    return [s for s in samples if not s.inner_life or s.fate.memory in kept]


def balance(samples: Sequence[Draft], shares: Mapping[Mode, float], seed: int) -> list[Draft]:
    """Thin out modes until each that is named has its share; one with no share goes, one not named stays as it is."""
    if not shares:
        return list(samples)
    counts = Counter(s.mode for s in samples)
    wanted = {mode: share for mode, share in shares.items() if share and counts[mode]}
    whole = min((counts[mode] / share for mode, share in wanted.items()), default=0)
    draw = random.Random(seed)  # noqa: S311
    kept: set[str] = set()
    for mode, count in counts.items():
        allowed = round(whole * shares[mode]) if mode in shares else count
        kept |= {s.fate.memory for s in spread([s for s in samples if s.mode == mode], allowed, draw)}
    return [s for s in samples if s.fate.memory in kept]


def _border(samples: Sequence[Draft], days: int, now: datetime) -> tuple[datetime, str]:
    """Return before when a sample is an older one, and the days after that in words.

    They are the last days by the clock, as MetaHuman OS counts them. Where nothing was said in those (a profile that
    was left for a while, a clock that is wrong), they are counted from the newest memory that is not in the future: one
    that is, because some device's date was wrong, must not make all others old.
    """
    border = _days_before(now, days)
    if any(border < moment(s) <= now for s in samples):
        return border, f"the {days} days since {border:%Y-%m-%d}"
    newest = _newest(samples, now)
    border = _days_before(newest, days)
    return border, f"the {days} days before {newest:%Y-%m-%d}, the newest memory (the last {days} days have none)"


def _days_before(moment: datetime, days: int) -> datetime:
    return moment - timedelta(days=days) if days < (moment - _UNDATED).days else _UNDATED


def _newest(samples: Sequence[Draft], now: datetime) -> datetime:
    """Return when the newest sample was said that is not in the future; if all are, now."""
    return max((moment(s) for s in samples if moment(s) <= now and s.timestamp), default=now)


def _by_age(
    samples: Sequence[Draft], half_life: float, most: int | None, draw: random.Random, now: datetime
) -> list[Draft]:
    """Choose each with the weight 0.5^(age / half-life): `most` of them, or as many as the lots give.

    The age is counted from the newest memory that is not in the future; one that is has none.
    Weighted choice without replacement: Efraimidis and Spirakis, 2006.
    """
    newest = _newest(samples, now)
    ages = [max((newest - moment(s)) / timedelta(days=1), 0) for s in samples]
    weights = [0.5 ** (age / half_life) for age in ages]
    lots = [draw.random() for _ in samples]
    if most is None:
        return [s for s, weight, lot in zip(samples, weights, lots, strict=True) if lot < weight]
    keys = [lot ** (1 / weight) if weight else 0.0 for weight, lot in zip(weights, lots, strict=True)]
    best = set(sorted(range(len(samples)), key=lambda i: keys[i], reverse=True)[:most])
    return [s for i, s in enumerate(samples) if i in best]


def spread(samples: Sequence[Draft], count: int, draw: random.Random) -> list[Draft]:
    """Choose `count` of them: one at random from each of `count` stretches of equal length."""
    if count >= len(samples):
        return list(samples)
    borders = [i * len(samples) // count for i in range(count + 1)] if count else [0]
    return [samples[draw.randrange(start, end)] for start, end in pairwise(borders)]
