"""Which samples are trained on when not all are: the last days whole, and older ones spread over time."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from idiolect.config import Options
from idiolect.curation.sample import Sample

_UNDATED = datetime.min.replace(tzinfo=UTC)


def moment(sample: Sample) -> datetime:
    """Return when the sample was said; one without a date counts as the oldest."""
    return sample.source.timestamp or _UNDATED


def select(samples: Sequence[Sample], options: Options) -> list[Sample]:
    """Return the chosen samples, oldest first. Same samples, options and seed: same choice."""
    chosen = sorted(samples, key=lambda s: (moment(s), s.source.memory))
    draw = random.Random(options.seed)  # noqa: S311 - a choice that can be repeated, not a secret
    if options.days_recent is not None and chosen:
        # Older than the newest memory, not than today: a run that is repeated later chooses the same.
        border = max(moment(chosen[-1]) - timedelta(days=options.days_recent), _UNDATED)
        older = [s for s in chosen if moment(s) <= border]
        recent = [s for s in chosen if moment(s) > border]
        chosen = spread(older, options.old_samples, draw) + recent
    if options.max_samples is not None:
        chosen = spread(chosen, options.max_samples, draw)
    return chosen


def spread(samples: Sequence[Sample], count: int, draw: random.Random) -> list[Sample]:
    """Choose `count` of them: one at random from each of `count` stretches of equal length."""
    if count >= len(samples):
        return list(samples)
    borders = [i * len(samples) // count for i in range(count + 1)] if count else [0]
    return [samples[draw.randrange(start, end)] for start, end in pairwise(borders)]
