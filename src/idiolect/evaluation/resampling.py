"""How far a figure can be trusted: 95 % intervals, by resampling what it was measured on."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist

import msgspec

CONFIDENCE = 0.95
_RESAMPLES = 2000
#: Fewer groups than these say little about each other; then single samples are drawn.
_GROUPS_AT_LEAST = 8


class Estimate(msgspec.Struct, frozen=True):
    """A figure with the ends of its 95 % interval."""

    value: float
    low: float
    high: float


def ratio(numerators: Sequence[float], denominators: Sequence[float], groups: Sequence[str] | None = None) -> Estimate:
    """Return sum(numerators) / sum(denominators) with the interval of a percentile bootstrap.

    Samples of one group (a conversation, a day) are drawn together, since they are not independent of each other
    (Efron & Tibshirani, An Introduction to the Bootstrap, chapters 8 and 13). The draws are the same each time.
    """
    import numpy as np

    sums = np.array([numerators, denominators], dtype=float)
    if groups is not None and len(set(groups)) >= _GROUPS_AT_LEAST:
        order = {name: number for number, name in enumerate(dict.fromkeys(groups))}
        members = np.array([order[name] for name in groups])
        sums = np.array([np.bincount(members, weights=row) for row in sums])
    count = sums.shape[1]
    drawn = np.random.default_rng(0).integers(count, size=(_RESAMPLES, count))
    above, below = sums[0][drawn].sum(axis=1), sums[1][drawn].sum(axis=1)
    found = above[below > 0] / below[below > 0]
    low, high = np.quantile(found, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return Estimate(float(sums[0].sum() / sums[1].sum()), float(low), float(high))


def mean(values: Sequence[float]) -> Estimate:
    """Return the mean with its bootstrap interval."""
    return ratio(values, [1.0] * len(values))


def share(hits: int, of: int) -> Estimate:
    """Return hits / of with Wilson's interval, which holds for small counts and for none at all.

    E. B. Wilson, Probable Inference, the Law of Succession, and Statistical Inference (1927).
    """
    z = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)
    p, shrunk = hits / of, 1 + z * z / of
    middle = (p + z * z / (2 * of)) / shrunk
    half = z * math.sqrt(p * (1 - p) / of + z * z / (4 * of * of)) / shrunk
    return Estimate(p, max(middle - half, 0.0), min(middle + half, 1.0))
