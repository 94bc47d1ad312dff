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
_UNDATED = datetime.min.replace(tzinfo=UTC)


def moment(draft: Draft) -> datetime:
    """Return when the sample was said; one without a date counts as the oldest."""
    return draft.timestamp or _UNDATED


def select(samples: Sequence[Draft], options: Options) -> list[Draft]:
    """Return the chosen samples, oldest first. Same samples, options and seed: same choice."""
    chosen = sorted(samples, key=lambda s: (s.timestamp or _UNDATED, s.fate.memory))
    draw = random.Random(options.seed)  # noqa: S311 - a choice that can be repeated, not a secret
    days_recent = options.days_recent or (MONTH if options.monthly else None)
    if days_recent and chosen:
        # Older than the newest memory, not than today: a run that is repeated later chooses the same.
        border = max(moment(chosen[-1]) - timedelta(days=days_recent), _UNDATED)
        older = [s for s in chosen if moment(s) <= border]
        recent = [s for s in chosen if moment(s) > border]
        chosen = spread(older, options.old_samples, draw) + recent
    if options.half_life_days:
        return _by_age(chosen, options.half_life_days, options.max_samples, draw)
    if options.max_samples is not None:
        chosen = spread(chosen, options.max_samples, draw)
    return chosen


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


def _by_age(samples: Sequence[Draft], half_life: float, most: int | None, draw: random.Random) -> list[Draft]:
    """Choose each with the weight 0.5^(age / half-life): `most` of them, or as many as the lots give.

    Weighted choice without replacement: Efraimidis and Spirakis, 2006.
    """
    if not samples:
        return []
    newest = moment(samples[-1])
    weights = [0.5 ** ((newest - moment(s)) / timedelta(days=1) / half_life) for s in samples]
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
