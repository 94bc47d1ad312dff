"""Texts that say the same twice: exactly, or with a word or two changed.

MinHash LSH (Broder 1997; Leskovec et al., Mining of Massive Datasets, ch. 3) over word pairs, of which one byte a
hash is kept (b-bit minwise hashing: Li and König 2010), proposes candidates; their Jaccard similarity is then computed
exactly. A text's part in this, its sketch, depends on no other text, so that it can be made in any process and
remembered. Who shares a band with whom is a matter of sorting.
"""

from __future__ import annotations

import re
import string
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from hashlib import blake2b
from itertools import groupby, pairwise
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
#: Of the texts that share a band, each is held against so many before it; of very many, others stand for the rest.
_NEIGHBOURS = 3

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
    """Yield (number of a near-repeat, number of what it repeats)."""
    original: dict[int, int] = {}
    for row, linked in _linked(hashes):
        # What a linked text repeats is the one to be held against: itself, if it is no repeat.
        candidates = sorted({original.get(other, other) for other in linked})
        own = _word_pairs(_words(text(numbers[row])))
        first = next((c for c in candidates if _similar(own, text(numbers[c]))), None)
        if first is not None:
            original[row] = first
            yield numbers[row], numbers[first]


def _linked(hashes: Sequence[bytes]) -> Iterator[tuple[int, list[int]]]:
    """Yield rows, in order, each with earlier ones that share a band with it and nearly half of all hashes."""
    import numpy as np

    rows = np.frombuffer(b"".join(hashes), np.uint8).reshape(len(hashes), _HASHES)
    across = rows.reshape(len(rows), _ROWS, -1).transpose(0, 2, 1).reshape(rows.shape)
    bands = [band for grouped in (rows, across) for band in grouped.view("<u4").T]
    with ThreadPoolExecutor() as pool:  # threads, for sorting is numpy's
        links = np.unique(np.concatenate(list(pool.map(partial(_links, rows), bands))))
    for row, of_row in groupby(links.tolist(), key=lambda link: link >> 32):
        yield row, [link & 0xFFFFFFFF for link in of_row]


def _links(rows: NDArray[Any], band: NDArray[Any]) -> NDArray[Any]:
    """Return (row << 32 | earlier row) for neighbours among those that share this band, if they are likely alike."""
    import numpy as np

    ordered = np.sort((band.astype(np.uint64) << np.uint64(32)) | np.arange(len(rows), dtype=np.uint64))
    keys, of_row = (ordered >> np.uint64(32)).astype(np.uint32), (ordered & np.uint64(0xFFFFFFFF)).astype(np.intp)
    links = [np.empty(0, np.int64)]
    for step in range(1, _NEIGHBOURS + 1):
        same = np.flatnonzero(keys[:-step] == keys[step:])
        earlier, later = of_row[same], of_row[same + step]
        alike = (rows[earlier] == rows[later]).sum(axis=1) >= _EQUAL_HASHES
        links.append(later[alike] << 32 | earlier[alike])
    return np.concatenate(links)


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
