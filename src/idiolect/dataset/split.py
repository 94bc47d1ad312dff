"""Which samples are held out: never trained on, and what the model is judged by."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Sequence

from idiolect.curation import repeats
from idiolect.dataset.schema import RenderedSample

SHARE = 0.05
AT_LEAST = 20
#: Of a small data set no more than a quarter is held out.
AT_MOST_SHARE = 0.25


def held_out(samples: Sequence[RenderedSample], seed: int) -> set[str]:
    """Choose the ids of held-out texts: whole conversations, or whole days where no conversation is stated.

    What was said in one go stays on one side, and so does what is said nearly alike on two days, so that the model is
    not judged by what it has half seen.
    """
    most = int(len(samples) * AT_MOST_SHARE)
    wanted = min(max(AT_LEAST, round(len(samples) * SHARE)), most)
    groups = _groups(samples)
    # By digest, not by lot: what is held out this month is so next month, too, and two months' models can be compared.
    order = sorted(groups, key=lambda name: hashlib.sha256(f"{seed} {name}".encode()).digest())
    chosen: set[str] = set()
    for name in order:
        if len(chosen) >= wanted:
            break
        if len(chosen) + len(groups[name]) <= most:
            chosen.update(groups[name])
    if chosen:
        return chosen
    # All of it was said in one go, as when letters bear the day on which they were scanned: some of it is parted.
    by_sample: dict[str, list[str]] = defaultdict(list)
    for sample in samples:
        by_sample[sample.sample].append(sample.id)
    for name in sorted(by_sample, key=lambda name: hashlib.sha256(f"{seed} {name}".encode()).digest()):
        if len(chosen) < wanted and len(chosen) + len(by_sample[name]) <= most:
            chosen.update(by_sample[name])
    return chosen


def _groups(samples: Sequence[RenderedSample]) -> dict[str, list[str]]:
    """Return the ids of what must stay together, by the name of the talk or day that it began with."""
    talks = [talk_of(s) for s in samples]
    joined: dict[str, str] = {}

    def root(name: str) -> str:
        while name in joined:
            name = joined[name]
        return name

    learned = ["\n".join([s.text[start:end] for start, end in s.learned]) for s in samples]
    for twin, first, _ in repeats(learned):
        one, other = root(talks[first]), root(talks[twin])
        if one != other:
            joined[other] = one
    groups: dict[str, list[str]] = defaultdict(list)
    for sample, name in zip(samples, talks, strict=True):
        groups[root(name)].append(sample.id)
    return groups


def talk_of(sample: RenderedSample) -> str:
    """Return what a sample belongs to: its conversation, else its day, else its memory."""
    source = sample.source
    day = source.timestamp.date().isoformat() if source.timestamp else source.memory
    return source.conversation or day
