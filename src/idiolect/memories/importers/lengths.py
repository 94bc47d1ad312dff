"""Texts that fit: long ones in pieces or without their middle, cut where one would pause in reading.

Length is measured in UTF-8 bytes, which follow the number of tokens more closely than characters do.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

GAP = " […] "
_SEAMS = tuple(re.compile(p) for p in (r"\n\s*\n", r"\n", r"(?<=[.!?…。！？])\s*(?=\S)", r"\s+"))


def bytes_of(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def trimmed(text: str, most: int) -> str:
    """Return a text without its middle, if it has more than `most` bytes; two thirds of what stays are its end."""
    if bytes_of(text) <= most:
        return text
    beginning = next(pieces(text, most // 3))
    end = next(pieces(text[::-1], most - most // 3, seams=_SEAMS[3:]))[::-1]
    return f"{beginning.rstrip()}{GAP}{end.lstrip()}"


def pieces(text: str, most: int, seams: tuple[re.Pattern[str], ...] = _SEAMS) -> Iterator[str]:
    """Cut a text into pieces of at most `most` bytes, between paragraphs, else lines, sentences, words or letters."""
    start = 0
    while start < len(text):
        window = text[start : start + most]
        whole = start + most >= len(text) and bytes_of(window) <= most
        end = len(window) if whole else _cut(window, _within(window, most), seams)
        if piece := window[:end].strip():
            yield piece
        start += end


def _cut(window: str, end: int, seams: tuple[re.Pattern[str], ...]) -> int:
    """Return where best to cut before `end`; a piece of less than a third is no gain over a seam of a lesser kind."""
    for seam in seams:
        found = [m.start() for m in seam.finditer(window, 0, end) if m.start() > end // 3]
        if found:
            return found[-1]
    return end


def _within(text: str, most: int) -> int:
    """Return how many characters at the beginning of a text have at most `most` bytes; one, at least."""
    if text.isascii():
        return max(most, 1)
    whole = text[:most].encode("utf-8", "surrogatepass")[:most]
    return max(len(whole.decode("utf-8", "ignore")), 1)
