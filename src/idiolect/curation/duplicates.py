"""Texts that say the same twice: exactly, or with a word or two changed.

MinHash LSH (Broder 1997; Leskovec et al., Mining of Massive Datasets, ch. 3) over word pairs, of which one byte a
hash is kept (b-bit minwise hashing: Li and König 2010), proposes candidates; their Jaccard similarity is then computed
exactly. A text's part in this, its sketch, depends on no other text, so that it can be made in any process and
remembered. Who shares a band with whom is a matter of sorting.
"""

from __future__ import annotations

import re
import string
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from hashlib import blake2b
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from idiolect.curation.sample import Sketch

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Two texts of 20 words in which one word differs have a similarity of 0.83; two words: 0.68; three: 0.56.
#: Texts of one person on one subject stay below 0.25.
SIMILAR = 0.5

_HASHES = 128
#: Four hashes are a band, each in two bands: a pair at 0.5 shares one with a probability of 0.96, at 0.6 of 0.998.
_ROWS = 4
#: A pair at 0.5 has 64 equal hashes of 128, give or take 6: with fewer than these its texts need not be compared.
_EQUAL_HASHES = 47
#: Of a band that very many texts share, so many are compared with each; and so many texts with one, the likeliest.
_FEW, _OF_A_BAND, _COMPARED = 8, 64, 20

_PUNCTUATION = string.punctuation + "“”‘’…–—、。「」！？"
#: Chinese characters and kana: scripts without spaces, of which each character counts as a word.
_UNSPACED = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")


class _WordHashes(dict[str, int]):
    """Word → 64 bits, the same in every process; most words of a text have been met before."""

    def __missing__(self, word: str) -> int:
        if len(self) > 200_000:
            self.clear()
        stripped = word.strip(_PUNCTUATION).encode("utf-8", "surrogatepass")
        number = self[word] = int.from_bytes(blake2b(stripped, digest_size=8).digest(), "little")
        return number


_word_hashes = _WordHashes()


def sketches(texts: Sequence[str]) -> list[Sketch]:
    """Sketch texts. Some hundred at a time cost least."""
    if not texts:
        return []
    import numpy as np
    from rensa import RMinHash

    words = [_words(text) for text in texts]
    # All texts in one row with an empty word between them: two neighbours are a word pair, and nearly all work is C's.
    row = [""]
    for of_text in words:
        row += of_text
        row.append("")
    hashes = np.fromiter(map(_word_hashes.__getitem__, row), np.uint64, len(row))
    pairs = hashes[:-1] * np.uint64(0x9E3779B97F4A7C15) + hashes[1:]
    starts = np.cumsum([0, *(len(of_text) + 1 for of_text in words)]).astype(np.uint64)
    matrix = RMinHash.digest_matrix_from_flat_token_hashes(pairs, starts, _HASHES, 1)
    low_bytes = np.array(matrix.to_rows(), np.uint32).astype(np.uint8)
    return [Sketch(_digest(w), b.tobytes()) for w, b in zip(words, low_bytes, strict=True)]


def repeats(texts: Sequence[str]) -> Iterator[tuple[int, int, bool]]:
    """Yield the repeats among texts, as `repeats_among` does."""
    return repeats_among(sketches(texts), texts.__getitem__)


def repeats_among(
    sketched: Sequence[Sketch], text: Callable[[int], str], *, nearly: bool = True
) -> Iterator[tuple[int, int, bool]]:
    """Yield (index of the repeat, index of what it repeats, whether to the letter), in order.

    A text is held only against texts before it that are no repeats themselves. `text` returns a text by its index;
    it is asked for few.
    """
    firsts: dict[bytes, int] = {}
    once = [number for number, s in enumerate(sketched) if firsts.setdefault(s.words, number) == number]
    near = dict(_nearly([sketched[n].hashes for n in once], once, text)) if nearly and len(once) > 1 else {}
    for number, s in enumerate(sketched):
        first = firsts[s.words]
        if first != number:
            yield number, near.get(first, first), True
        elif number in near:
            yield number, near[number], False


def _nearly(hashes: Sequence[bytes], numbers: Sequence[int], text: Callable[[int], str]) -> Iterator[tuple[int, int]]:
    """Yield (number of a near-repeat, number of what it repeats most closely)."""
    import numpy as np

    rows = np.frombuffer(b"".join(hashes), np.uint8).reshape(len(hashes), _HASHES)
    bands = _bands(rows)
    originals: dict[int, list[int]] = defaultdict(list)
    for row in np.flatnonzero(_worth_comparing(rows, bands)).tolist():
        buckets = [originals[band] for band in (bands[row] * 2 * _HASHES + np.arange(bands.shape[1])).tolist()]
        candidates = sorted({other for bucket in buckets for other in bucket})
        original = _closest(row, candidates, rows, lambda r: text(numbers[r])) if candidates else None
        if original is not None:
            yield numbers[row], numbers[original]
            continue
        for bucket in buckets:
            if len(bucket) < _OF_A_BAND:
                bucket.append(row)


def _bands(rows: NDArray[Any]) -> NDArray[Any]:
    """Return the bands of each row, each as a number: of hashes that follow each other, and of each 32nd."""
    import numpy as np

    across = rows.reshape(len(rows), _ROWS, -1).transpose(0, 2, 1).reshape(rows.shape)
    return np.concatenate([rows.view("<u4"), across.view("<u4")], axis=1).astype(np.uint64)


def _worth_comparing(rows: NDArray[Any], bands: NDArray[Any]) -> NDArray[Any]:
    """Return for each row whether it shares a band with a row that has nearly half of its hashes."""
    import numpy as np

    worth = np.zeros(len(rows), bool)
    # Threads, for sorting is numpy's; that several write into `worth` does no harm: nothing in it is ever taken back.
    with ThreadPoolExecutor() as pool:
        list(pool.map(partial(_mark_alike, rows, worth), bands.T))
    return worth


def _mark_alike(rows: NDArray[Any], worth: NDArray[Any], band: NDArray[Any]) -> None:
    """Mark in `worth` the rows that share this band with a row that has nearly half of their hashes."""
    import numpy as np

    ordered = np.sort((band << np.uint64(32)) | np.arange(len(rows), dtype=np.uint64))
    keys, of_row = ordered >> np.uint64(32), (ordered & np.uint64(2**32 - 1)).astype(np.intp)
    for step in range(1, _FEW + 1):
        same = keys[:-step] == keys[step:]
        if not same.any():
            return
        a, b = of_row[:-step][same], of_row[step:][same]
        new = ~(worth[a] & worth[b])
        a, b = a[new], b[new]
        # From a certain step on, more share this band than are held against each other here.
        alike = (rows[a] == rows[b]).sum(axis=1) >= _EQUAL_HASHES if step < _FEW else slice(None)
        worth[a[alike]] = worth[b[alike]] = True


def _closest(row: int, candidates: list[int], rows: NDArray[Any], text: Callable[[int], str]) -> int | None:
    equal = (rows[candidates] == rows[row]).sum(axis=1).tolist()
    likely = sorted((-e, other) for e, other in zip(equal, candidates, strict=True) if e >= _EQUAL_HASHES)
    own = _word_pairs(_words(text(row))) if likely else set()
    return next((other for _, other in likely[:_COMPARED] if _similar(own, text(other))), None)


def _words(text: str) -> list[str]:
    return (text if text.isascii() else _UNSPACED.sub(r" \g<0> ", text)).casefold().split()


def _word_pairs(words: Sequence[str]) -> set[tuple[str, str]]:
    return set(pairwise(["", *[word.strip(_PUNCTUATION) for word in words], ""]))


def _similar(own: set[tuple[str, str]], text: str) -> bool:
    """Compute the similarity anew from the text: candidates are few, and the pairs of all texts would fill memory."""
    words = _words(text)
    if len(words) + 1 < SIMILAR * len(own):
        return False  # too short to have half of it
    other = _word_pairs(words)
    return len(own & other) / len(own | other) >= SIMILAR


def _digest(words: Sequence[str]) -> bytes:
    return blake2b(" ".join(words).encode("utf-8", "surrogatepass"), digest_size=16).digest()
