"""Where records of a JSON array end, without decoding them.

JSON (RFC 8259) escapes a quote within a string, so that brackets outside of strings can be counted with a few passes
over the bytes in C. All positions are in bytes; every text begins between two records.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

#: A string (whose end may be missing: then the group is empty), or a bracket.
TOKEN = re.compile(rb'"(?:[^"\\]++|\\.)*+("?)|[\[\]{}]', re.DOTALL)
_SINGLE = re.compile(rb'"(?:[^"\\]++|\\.)*+"?|[\[\]{},]', re.DOTALL)
_USUAL_DEPTH = 40
#: A chat may be short: its end is looked for in so much first.
_FIRST_LOOK = 1 << 14
_NO_STRUCTURE = bytes(set(range(256)) - set(b'"[]{}'))
_BETWEEN = re.compile(rb"\}\s*,")
_NEXT = re.compile(rb'\s{0,80},\s{0,80}\{\s{0,80}"[^"\\]{1,80}"')
_CLOSERS = b"]} \t\r\n"


class Border(NamedTuple):
    """How a record ends and the next one begins: brackets, a comma, and the name of the first field."""

    sign: bytes = b""
    closers: int = 0
    """So many bytes of the sign belong to the record that ends."""


def border_at(text: bytes, end: int) -> Border:
    """Return the border where a record ends; an empty one, if what follows is no usual object."""
    before = text[max(end - 80, 0) : end]
    closers = before[len(before.rstrip(_CLOSERS)) :]
    following = _NEXT.match(text, end)
    return Border(closers + following[0], len(closers)) if following else Border()


def guess(text: bytes, border: Border) -> int:
    """Return where the last record ends, going by what borders looked like before, or 0. Finding it takes no time.

    It may be wrong where something within a record looks the same; then a bracket is left open, and the text up to
    there cannot be decoded. Within a string nothing looks like it: there, quotes are escaped.
    """
    found = text.rfind(border.sign) if border.sign else -1
    return found + border.closers if found >= 0 else 0


def whole_records(text: bytes, *, fresh: bool) -> tuple[int, bool]:
    """Return where the last whole record in `text` ends, or where the array does, and which of both it is.

    `text` begins between two records; `fresh` means that none of the array have been seen, so that it may be short.
    """
    window = _FIRST_LOOK if fresh else len(text)
    while True:
        part = text[:window]
        brackets, in_string = _brackets(part)
        closers, openers = _unpaired(brackets)
        if closers:
            return _closing(part), True
        if window >= len(text):
            return _last_boundary(text, openers, in_string=in_string), False
        window *= 8


def _brackets(text: bytes, *, in_string: bool = False) -> tuple[bytes, bool]:
    """Return the brackets outside of strings, and whether the text ends within a string."""
    bare = text.replace(rb"\\", b"").replace(rb"\"", b"").translate(None, _NO_STRUCTURE).replace(b'""', b"")
    pieces = bare.split(b'"')
    return b"".join(pieces[in_string::2]), in_string ^ (len(pieces) % 2 == 0)


def _unpaired(brackets: bytes) -> tuple[int, int]:
    """Return how many brackets close what was open before, and how many stay open."""
    brackets = brackets.replace(b"[", b"{").replace(b"]", b"}")
    for _ in range(_USUAL_DEPTH):
        fewer = brackets.replace(b"{}", b"")
        if len(fewer) == len(brackets):
            return fewer.count(b"}"), fewer.count(b"{")
        brackets = fewer
    # Nested deeper than anybody writes: one by one, lest it take the square of the depth.
    closers = openers = 0
    for bracket in brackets:
        if bracket == 0x7B:
            openers += 1
        elif openers:
            openers -= 1
        else:
            closers += 1
    return closers, openers


def _closing(text: bytes) -> int:
    """Return where the bracket stands that closes the array in whose middle `text` begins."""
    depth = 0
    for token in TOKEN.finditer(text):
        sign = text[token.start()]
        if sign in b"[{":
            depth += 1
        elif sign in b"]}":
            depth -= 1
            if depth < 0:
                return token.start()
    return len(text)


def _last_boundary(text: bytes, depth: int, *, in_string: bool) -> int:
    """Return where the last whole record ends, or 0; `depth` and `in_string` are where `text` ends."""
    if depth == 0 and not in_string and text.rstrip().endswith(b"}"):
        return len(text)
    later = len(text)
    for between in reversed(list(_BETWEEN.finditer(text))):
        border = between.start() + 1
        part = text[border:later]
        # A string in which `part` ends and does not begin, or the other way round, has one of its quotes in it.
        in_string ^= _brackets(part)[1]
        closers, openers = _unpaired(_brackets(part, in_string=in_string)[0])
        depth += closers - openers
        if depth == 0 and not in_string:
            return border
        later = border
    return 0


def elements(text: bytes) -> Iterator[bytes]:
    """Cut records with commas between into single ones."""
    depth, start = 0, 0
    end = 0
    for token in _SINGLE.finditer(text):
        sign = text[token.start()]
        if sign in b"[{":
            depth += 1
        elif sign in b"]}":
            depth -= 1
        elif sign == 0x2C and depth == 0:
            yield text[start : token.start()]
            start = token.end()
        end = token.end()
    if text[start:].strip() or not end:
        yield text[start:]
