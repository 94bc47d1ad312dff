"""Texts that say the same twice: exactly, or with a word or two changed.

MinHash LSH (Broder 1997; Leskovec et al., Mining of Massive Datasets, ch. 3) proposes candidates, whose Jaccard
similarity over word pairs is then computed exactly.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from rensa import RMinHash, RMinHashLSH

#: Two texts of 20 words in which one word differs have a similarity of 0.83; two words: 0.68; three: 0.56.
#: Texts of one person on one subject stay below 0.25.
SIMILAR = 0.5

_BANDS = 42
_PERMUTATIONS = 3 * _BANDS  # a pair at 0.5 is proposed with a probability of 0.996
_WORD = re.compile(r"\w+")


def repeats(texts: Sequence[str]) -> Iterator[tuple[int, int, bool]]:
    """Yield (index of the repeat, index of what it repeats, whether to the letter), in order.

    A text is held only against texts before it that are no repeats themselves.
    """
    index = RMinHashLSH(threshold=SIMILAR, num_perm=_PERMUTATIONS, num_bands=_BANDS)
    exact: dict[str, int] = {}
    pairs: dict[int, frozenset[str]] = {}
    for number, text in enumerate(texts):
        folded = " ".join(text.split()).casefold()
        if folded in exact:
            yield number, exact[folded], True
            continue
        own = _word_pairs(folded)
        sketch = RMinHash(num_perm=_PERMUTATIONS, seed=1)
        sketch.update(sorted(own))
        near = next((n for n in sorted(index.query(sketch)) if _jaccard(own, pairs[n]) >= SIMILAR), None)
        if near is not None:
            yield number, near, False
            continue
        exact[folded], pairs[number] = number, own
        index.insert(number, sketch)


def _word_pairs(text: str) -> frozenset[str]:
    words = ["", *_WORD.findall(text), ""]
    return frozenset(f"{a} {b}" for a, b in pairwise(words))


def _jaccard(a: frozenset[str], b: frozenset[str]) -> float:
    return len(a & b) / len(a | b)
