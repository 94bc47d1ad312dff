"""Texts that say the same twice: exactly, or with a word or two changed.

MinHash LSH (Broder 1997; Leskovec et al., Mining of Massive Datasets, ch. 3) proposes candidates, whose Jaccard
similarity over word pairs is then computed exactly.
"""

from __future__ import annotations

import string
from collections.abc import Iterator, Sequence
from itertools import pairwise

from rensa import RMinHash, RMinHashLSH

#: Two texts of 20 words in which one word differs have a similarity of 0.83; two words: 0.68; three: 0.56.
#: Texts of one person on one subject stay below 0.25.
SIMILAR = 0.5

_PUNCTUATION = string.punctuation + "“”‘’…–—"
_BANDS = 32
_PERMUTATIONS = 4 * _BANDS  # a pair at 0.5 is proposed with a probability of 0.87, one at 0.6 with 0.99


def repeats(texts: Sequence[str], *, nearly: bool = True) -> Iterator[tuple[int, int, bool]]:
    """Yield (index of the repeat, index of what it repeats, whether to the letter), in order.

    A text is held only against texts before it that are no repeats themselves.
    """
    index = RMinHashLSH(threshold=SIMILAR, num_perm=_PERMUTATIONS, num_bands=_BANDS)
    exact: dict[str, int] = {}
    for number, text in enumerate(texts):
        folded = _folded(text)
        if folded in exact:
            yield number, exact[folded], True
            continue
        exact[folded] = number
        if not nearly:
            continue
        own = _word_pairs(folded)
        sketch = RMinHash(num_perm=_PERMUTATIONS, seed=1)
        sketch.update(list(own))
        near = next((n for n in sorted(index.query(sketch)) if _similar(own, texts[n])), None)
        if near is None:
            index.insert(number, sketch)
        else:
            exact[folded] = near
            yield number, near, False


def _folded(text: str) -> str:
    return " ".join(text.split()).casefold()


def _word_pairs(folded: str) -> set[str]:
    words = ["", *(word.strip(_PUNCTUATION) for word in folded.split()), ""]
    return set(map(" ".join, pairwise(words)))


def _similar(own: set[str], text: str) -> bool:
    """Compute the similarity anew from the text: candidates are few, and the pairs of all texts would fill memory."""
    other = _word_pairs(_folded(text))
    return len(own & other) / len(own | other) >= SIMILAR
