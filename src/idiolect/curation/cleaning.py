"""The person's words without what a recording program or a habit of speech put between them.

Code blocks are left alone; lists and line breaks survive.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from idiolect.config import TimedPattern

_CODE = re.compile(r"(```.*?(?:```|\Z))", re.DOTALL)
#: Looked for from the beginning of a run of spaces only: else a long one would be gone through from each of them.
_TRAILING_SPACE = re.compile(r"(?<![^\S\n])[^\S\n]++(?=\n|\Z)")
_SPACE_RUN = re.compile(r"(?<=\S)[^\S\n]{2,}")
_BLANK_LINES = re.compile(r"\n{3,}")
_LINE_END = re.compile(r"\r\n?|[\v\f\x85\u2028\u2029]")
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0e-\x1f\x7f\ud800-\udfff\ufeff]")

_AT_BEGINNING = re.compile(r"\^(?:\(\?:([\w '|-]+)\)|([\w ']+))(?![\w '|*?{])")
_GROUP = re.compile(r"\((?:[^()\\]|\\.)*\)\??")
#: What may stand there or not, and what is no plain letter: a literal ends before either.
_NOT_LITERAL = re.compile(r"(?:\\.|\[[^\]]*\]|[^\\\[\]])[*?{](?:[^}]*\})?|\\.|\[[^\]]*\]|[.^$+]")


@dataclass(frozen=True, slots=True)
class Filler:
    """A pattern with the letter after it, and what it cannot match without, in lower case.

    `needs` is a part of the text, `begins` what the text begins with (one of these; none: whatever it begins with).
    """

    pattern: TimedPattern
    needs: str
    begins: tuple[str, ...]


def compiled(fillers: Sequence[str]) -> list[Filler]:
    """Compile filler patterns. Raises regex.error on a broken one."""
    return [
        Filler(TimedPattern(f"(?:{f})(\\w?)", named=f, ignore_case=True), _needed(f), _beginnings(f)) for f in fillers
    ]


def clean(text: str, fillers: Sequence[Filler]) -> tuple[str, bool]:
    """Take out fillers and stray white space, outside of code blocks; return, too, whether there was a filler."""
    if not text.isprintable():
        text = _UNPRINTABLE.sub("", _LINE_END.sub("\n", text))
    if not text.isascii():
        # Some tokenizers normalize to NFC and llama.cpp does not: text that is NFC already is the same to both.
        text = unicodedata.normalize("NFC", text)
    if "```" not in text:
        prose, had_filler = _clean_prose(text, fillers)
        return prose.strip(), had_filler
    parts = [(p, False) if p.startswith("```") else _clean_prose(p, fillers) for p in _CODE.split(text)]
    return "".join([part for part, _ in parts]).strip(), any(had_filler for _, had_filler in parts)


def _clean_prose(text: str, fillers: Sequence[Filler]) -> tuple[str, bool]:
    lower = text.lower()
    count = 0
    for filler in fillers:
        if filler.needs in lower and (not filler.begins or lower.startswith(filler.begins)):
            text, found = filler.pattern.subn(_next_letter, text)
            if found:
                lower, count = text.lower(), count + found
    if "\n" in text or text[-1:].isspace():
        text = _BLANK_LINES.sub("\n\n", _TRAILING_SPACE.sub("", text))
    return _SPACE_RUN.sub(" ", text) if "  " in text or "\t" in text or "\u00a0" in text else text, count > 0


def _next_letter(match: Any) -> str:
    """Return the letter after a filler, as a capital where the filler began with one."""
    letter = str(match.group(match.re.groups))
    return letter.upper() if match.group()[0].isupper() else letter


def _needed(pattern: str) -> str:
    """Return the longest plain text that every match of a pattern contains.

    Most texts have no filler, and looking for a plain text is ten times as fast as for a pattern.
    """
    plain, before = pattern, ""
    while plain != before:
        plain, before = _GROUP.sub("\n", plain), plain
    if "|" in plain or "(" in plain or ")" in plain:
        return ""
    return max(_NOT_LITERAL.sub("\n", plain).lower().split("\n"), key=len)


def _beginnings(pattern: str) -> tuple[str, ...]:
    """Return what a text must begin with for a pattern that looks at its beginning, where that is easily told."""
    found = _AT_BEGINNING.match(pattern)
    return tuple((found[1] or found[2]).lower().split("|")) if found else ()
