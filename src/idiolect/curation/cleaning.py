"""The person's words without what a recording program or a habit of speech put between them.

Code blocks are left alone; lists and line breaks survive.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

_CODE = re.compile(r"(```.*?(?:```|\Z))", re.DOTALL)
_TRAILING_SPACE = re.compile(r"[^\S\n]+(?=\n|\Z)")
_SPACE_RUN = re.compile(r"(?<=\S)[^\S\n]{2,}")
_BLANK_LINES = re.compile(r"\n{3,}")
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff\ufeff]")

_GROUP = re.compile(r"\((?:[^()\\]|\\.)*\)\??")
#: What may stand there or not, and what is no plain letter: a literal ends before either.
_NOT_LITERAL = re.compile(r"(?:\\.|\[[^\]]*\]|[^\\\[\]])[*?{](?:[^}]*\})?|\\.|\[[^\]]*\]|[.^$+]")


@dataclass(frozen=True, slots=True)
class Filler:
    """A pattern with the letter after it, and a text without which it cannot match (lower case, may be empty)."""

    pattern: re.Pattern[str]
    needs: str


def compiled(fillers: Sequence[str]) -> list[Filler]:
    """Compile filler patterns. Raises re.error on a broken one."""
    return [Filler(re.compile(f"(?:{f})(\\w?)", re.IGNORECASE), _needed(f)) for f in fillers]


def clean(text: str, fillers: Sequence[Filler]) -> str:
    """Take out fillers and stray white space, outside of code blocks."""
    # Some tokenizers normalize to NFC and llama.cpp does not: text that is NFC already is the same to both.
    text = unicodedata.normalize("NFC", text.replace("\r\n", "\n"))
    if not text.isprintable():
        text = _UNPRINTABLE.sub("", text)
    if "```" not in text:
        return _clean_prose(text, fillers).strip()
    return "".join(p if p.startswith("```") else _clean_prose(p, fillers) for p in _CODE.split(text)).strip()


def has_filler(text: str, fillers: Sequence[Filler]) -> bool:
    lower = text.lower()
    return any(f.needs in lower and f.pattern.search(text) for f in fillers)


def _clean_prose(text: str, fillers: Sequence[Filler]) -> str:
    lower = text.lower()
    for filler in fillers:
        if filler.needs in lower:
            text = filler.pattern.sub(_next_letter, text)
    if "\n" in text or text[-1:].isspace():
        text = _BLANK_LINES.sub("\n\n", _TRAILING_SPACE.sub("", text))
    return _SPACE_RUN.sub(" ", text) if "  " in text or "\t" in text or "\u00a0" in text else text


def _next_letter(match: re.Match[str]) -> str:
    """Return the letter after a filler, as a capital where the filler began with one."""
    letter = match.group(match.re.groups)
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
