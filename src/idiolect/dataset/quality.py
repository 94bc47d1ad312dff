"""What a data set is made of, in figures: lengths, modes, words, languages, tokens, and what was left out."""

from __future__ import annotations

import re
import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise

import msgspec

from idiolect.config import MODES
from idiolect.curation import Fate, Sample, repeats
from idiolect.dataset.schema import CUT, TOO_LONG

SHORT_WORDS, LONG_WORDS = 40, 100
#: What MetaHuman OS' data set requirements ask of a full fine-tune.
TARGETS = {"samples": 5000, "dual": 0.2, "emulation": 0.2, "agent": 0.1}
#: So many samples, spread over all, tell the languages of the rest.
_LANGUAGE_SAMPLES = 1000
_MOST_MONTHS = 30

_WORD = re.compile(r"\w+(?:['’]\w+)*")


class Quality(msgspec.Struct, frozen=True, kw_only=True):
    """Figures of a data set: shares are of samples, words of the person's replies, tokens of whole samples."""

    samples: int
    turns_of_theirs: int
    multi_turn_share: float
    asked_by_nobody_share: float
    words: int
    words_mean: float
    words_median: float
    short_share: float
    long_share: float
    filler_share: float
    vocabulary: int
    modes: dict[str, float]
    languages: dict[str, float]
    tokens: int
    tokens_median: float
    tokens_longest: int
    too_long: int
    dropped: dict[str, int]
    masked: dict[str, int]
    in_earlier_runs: int
    nearly_in_earlier_runs: int
    lengths: dict[str, int] = {}
    """Samples by their words: "1 to 10", …"""
    over_time: dict[str, int] = {}
    """Samples by month, or by year where these are more than thirty months."""


def measure(
    samples: Sequence[Sample],
    fates: Sequence[Fate],
    tokens: Mapping[str, int],
    earlier: Sequence[Sample] = (),
) -> Quality:
    """Measure samples; `tokens` has the length of each by its id, `earlier` the samples of all runs before."""
    count = max(len(samples), 1)
    replies = [m.content for s in samples for m in s.messages if m.role == "assistant"]
    words = [_WORD.findall(reply.lower()) for reply in replies]
    lengths = [len(w) for w in words]
    by_sample = [len(s.own_words.split()) for s in samples]
    modes = Counter(s.mode for s in samples)
    before = list({s.own_words for s in earlier})
    again = repeats([*before, *(s.own_words for s in samples)])
    exactly_again = [exactly for new, old, exactly in again if new >= len(before) > old]
    return Quality(
        samples=len(samples),
        turns_of_theirs=len(replies),
        multi_turn_share=sum(len(s.messages) > 2 for s in samples) / count,
        asked_by_nobody_share=sum(s.source.prompt_from == "invented" for s in samples) / count,
        words=sum(lengths),
        words_mean=sum(lengths) / max(len(lengths), 1),
        words_median=statistics.median(lengths) if lengths else 0,
        short_share=sum(n <= SHORT_WORDS for n in by_sample) / count,
        long_share=sum(n > LONG_WORDS for n in by_sample) / count,
        filler_share=sum(f.filler for f in fates) / count,
        vocabulary=len({word for reply in words for word in reply}),
        modes={mode: modes[mode] / count for mode in MODES},
        languages=_languages(samples),
        tokens=sum(tokens.values()),
        tokens_median=statistics.median(tokens.values()) if tokens else 0,
        tokens_longest=max(tokens.values(), default=0),
        too_long=sum(f.rule == TOO_LONG or CUT in f.detail for f in fates),
        dropped=dict(Counter(f.rule for f in fates if f.fate == "dropped").most_common()),
        masked=dict(sum((Counter(f.masked) for f in fates if f.masked), Counter())),
        in_earlier_runs=exactly_again.count(True),
        nearly_in_earlier_runs=exactly_again.count(False),
        lengths=_lengths(by_sample),
        over_time=_over_time(samples),
    )


def _lengths(words: Sequence[int]) -> dict[str, int]:
    borders = (0, 10, 20, SHORT_WORDS, LONG_WORDS, 300)
    most = {f"{low + 1} to {high}": high for low, high in pairwise(borders)}
    beyond = f"over {borders[-1]}"
    counts = Counter(next((name for name, border in most.items() if n <= border), beyond) for n in words)
    return {name: counts[name] for name in (*most, beyond) if counts[name]}


def _over_time(samples: Sequence[Sample]) -> dict[str, int]:
    months = Counter(f"{t.year:04}-{t.month:02}" for s in samples if (t := s.source.timestamp))
    years: Counter[str] = Counter()
    for month, count in months.items():
        years[month[:4]] += count
    undated = len(samples) - months.total()
    by = months if len(months) <= _MOST_MONTHS else years
    return {**dict(sorted(by.items())), **({"no date": undated} if undated else {})}


def _languages(samples: Sequence[Sample]) -> dict[str, float]:
    """Return the share of each language (ISO 639-1) among samples of at least five words, the commonest first."""
    import py3langid

    step = max(len(samples) // _LANGUAGE_SAMPLES, 1)
    texts = [s.own_words for s in samples[::step] if len(s.own_words.split()) >= 5]
    found = Counter(str(py3langid.classify(text)[0]) for text in texts)
    return {language: count / len(texts) for language, count in found.most_common(8)}
