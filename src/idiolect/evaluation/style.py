"""What can be counted in somebody's texts: length, punctuation, emoji, vocabulary."""

from __future__ import annotations

import re
import statistics
import unicodedata
from collections.abc import Sequence

import msgspec

#: Vocabulary grows with the text: it is compared over so many words, or over as many as all have.
VOCABULARY_WORDS = 400

_WORD = re.compile(r"\w+(?:['’]\w+)*")
#: Pictographs and the flags' letters; Unicode's own list of emoji also holds digits.
_EMOJI = re.compile("[\U0001f1e6-\U0001f1ff\U0001f300-\U0001faff\u2600-\u27bf\u2b50\u2b55]")


class Style(msgspec.Struct, frozen=True):
    """Figures of some texts; shares are of words."""

    texts: int
    words: int
    words_a_text: float
    words_a_sentence: float
    marks_a_hundred: dict[str, float]
    """Punctuation marks in a hundred words, the commonest first."""
    emoji_a_hundred: float
    different_words: float
    """Share of different words among the first `VOCABULARY_WORDS` (fewer if there are not so many)."""


def words(text: str) -> list[str]:
    """Return the words of a text, in lower case."""
    return [w.lower() for w in _WORD.findall(text)]


def style(texts: Sequence[str], among: int = VOCABULARY_WORDS) -> Style:
    """Count what there is in texts; different words are counted among the first `among`."""
    said = [words(t) for t in texts]
    flat = [w for text in said for w in text]
    together = "\n".join(texts)
    marks = [c for c in together if unicodedata.category(c).startswith("P")]
    sentences = len(re.findall(r"[.!?…]+(?:\s|$)", together)) or len(texts)
    hundred = 100 / max(len(flat), 1)
    counts = {mark: marks.count(mark) * hundred for mark in sorted(set(marks))}
    first = flat[:among]
    return Style(
        texts=len(texts),
        words=len(flat),
        words_a_text=statistics.fmean(map(len, said)) if said else 0.0,
        words_a_sentence=len(flat) / max(sentences, 1),
        marks_a_hundred=dict(sorted(counts.items(), key=lambda item: -item[1])[:8]),
        emoji_a_hundred=len(_EMOJI.findall(together)) * hundred,
        different_words=len(set(first)) / max(len(first), 1),
    )
