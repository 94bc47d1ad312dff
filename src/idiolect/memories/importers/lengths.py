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
    while bytes_of(text) > most:
        end = _within(text, most)
        cut = end
        for seam in seams:
            # A piece of less than a third is no gain over a seam of a lesser kind.
            found = [m for m in seam.finditer(text, 0, end) if m.start() > end // 3]
            if found:
                cut = found[-1].start()
                break
        piece = text[:cut].strip()
        if piece:
            yield piece
        text = text[cut:].lstrip()
    if text.strip():
        yield text.strip()


def _within(text: str, most: int) -> int:
    """Return how many characters at the beginning of a text have at most `most` bytes; one, at least."""
    if text.isascii():
        return max(most, 1)
    whole = text[:most].encode("utf-8", "surrogatepass")[:most]
    return max(len(whole.decode("utf-8", "ignore")), 1)
