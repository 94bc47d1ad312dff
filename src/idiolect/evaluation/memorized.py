"""Whether the model recites: greedy continuations of what it was trained on, and of what it never saw.

After N. Carlini et al., Quantifying Memorization Across Neural Language Models (2022), for replies that are short:
the prompt and a third of the reply are given; that the rest comes out word for word is counted over eight words.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from idiolect.dataset import TrainingText, open_tokenizer
from idiolect.evaluation.resampling import Estimate, share
from idiolect.evaluation.style import words
from idiolect.serving import Model, continuation

NGRAM = 8
CONTINUED_TOKENS = 16
#: A reply needs so many words, to be begun with a third of them and to have two n-grams left.
_WORDS_AT_LEAST = 14


class Recited(msgspec.Struct, frozen=True):
    """How often the rest came out, of how many tries; the share with Wilson's interval."""

    tries: int
    recited: int
    share: Estimate


def reciting(model: Model, tokenizer_json: Path, texts: Iterable[TrainingText]) -> Recited | None:
    """Let a loaded model go on with each text's first reply; None where no reply is long enough to try."""
    tokenizer = open_tokenizer(tokenizer_json)
    tries = [parted for parted in map(_parted, texts) if parted]
    if not tries:
        return None
    recited = 0
    for begun, rest in tries:
        tokens = tokenizer.encode(begun, add_special_tokens=False).ids
        recited += overlaps(continuation(model, tokens, CONTINUED_TOKENS), [rest])
    return Recited(len(tries), recited, share(recited, len(tries)))


def long_enough(texts: Sequence[TrainingText], split: str, count: int) -> list[TrainingText]:
    """Return `count` texts of a split that can be tried, spread over all."""
    fitting = [t for t in texts if t.split == split and _parted(t)]
    step = max(len(fitting) // count, 1) if count else 1
    return fitting[::step][:count]


def overlaps(text: str, others: Sequence[str]) -> bool:
    """Say whether eight words in a row stand in one of the other texts, too."""
    own = _ngrams(text)
    return any(own & _ngrams(other) for other in others)


def _parted(text: TrainingText) -> tuple[str, str] | None:
    """Return a text up to a third of its first reply, and the rest of that reply."""
    start, end = text.learned[0]
    found = list(re.finditer(r"\S+", text.text[start:end]))
    if len(found) < _WORDS_AT_LEAST:
        return None
    cut = start + found[len(found) // 3 - 1].end()
    return text.text[:cut], text.text[cut:end]


def _ngrams(text: str) -> set[tuple[str, ...]]:
    said = words(text)
    return {tuple(said[i : i + NGRAM]) for i in range(len(said) - NGRAM + 1)}
