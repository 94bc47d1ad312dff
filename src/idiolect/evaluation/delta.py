"""Burrows's Delta: how far two texts are apart in their use of the commonest words.

J. Burrows, 'Delta': a Measure of Stylistic Difference and a Guide to Likely Authorship (2002): the mean absolute
difference of z-scores of the relative frequencies of the most frequent words.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from idiolect.evaluation.style import words

if TYPE_CHECKING:
    import numpy as np

WORDS = 100
#: Words in one document, of which the spread of a word's frequency is taken.
_DOCUMENT = 150


@dataclass(frozen=True)
class Profile:
    """One person's use of the commonest words: frequencies, and how much these spread between documents."""

    vocabulary: tuple[str, ...]
    frequencies: np.ndarray
    spread: np.ndarray

    def delta(self, texts: Sequence[str]) -> float:
        """Return the distance of texts from the person: 0 would be the same frequencies throughout."""
        import numpy as np

        theirs = _frequencies([w for t in texts for w in words(t)], self.vocabulary)
        return float(np.mean(np.abs(theirs - self.frequencies) / self.spread))


def profile(own: Sequence[str], others: Sequence[str]) -> Profile | None:
    """Learn a person's profile from their texts and from texts of somebody else, in equal measure.

    Returns None where there are not two documents' worth of the person's words.
    """
    import numpy as np

    said, foreign = ([w for t in texts for w in words(t)] for texts in (own, others))
    documents = [said[i : i + _DOCUMENT] for i in range(0, len(said) - _DOCUMENT + 1, _DOCUMENT)]
    if len(documents) < 2:
        return None
    weights = Counter({w: n / len(said) for w, n in Counter(said).items()})
    weights.update({w: n / len(foreign) for w, n in Counter(foreign).items()})
    vocabulary = tuple(w for w, _ in weights.most_common(WORDS))
    spread = np.std([_frequencies(d, vocabulary) for d in documents], axis=0, ddof=1)
    # A word that this person never varies, or never says, still spreads as chance does.
    chance = np.sqrt(np.array([weights[w] / 2 for w in vocabulary]) / _DOCUMENT)
    return Profile(vocabulary, _frequencies(said, vocabulary), np.maximum(spread, chance))


def _frequencies(said: Sequence[str], vocabulary: Sequence[str]) -> np.ndarray:
    import numpy as np

    counts = Counter(said)
    return np.array([counts[w] for w in vocabulary]) / max(len(said), 1)
