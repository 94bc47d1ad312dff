"""The person's words without what a recording program or a habit of speech put between them.

Code blocks are left alone; lists and line breaks survive.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

_CODE = re.compile(r"(```.*?(?:```|\Z))", re.DOTALL)
_TRAILING_SPACE = re.compile(r"[^\S\n]+(?=\n|\Z)")
_SPACE_RUN = re.compile(r"(?<=\S)[^\S\n]{2,}")
_BLANK_LINES = re.compile(r"\n{3,}")
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff\ufeff]")


def clean(text: str, fillers: Sequence[re.Pattern[str]]) -> str:
    """Take out fillers (as `compiled` returns them) and stray white space, outside of code blocks."""
    # Some tokenizers normalize to NFC and llama.cpp does not: text that is NFC already is the same to both.
    text = unicodedata.normalize("NFC", _UNPRINTABLE.sub("", text.replace("\r\n", "\n")))
    parts = _CODE.split(text)
    return "".join(p if p.startswith("```") else _clean_prose(p, fillers) for p in parts).strip()


def compiled(fillers: Sequence[str]) -> list[re.Pattern[str]]:
    """Compile filler patterns, each with the letter after it. Raises re.error on a broken one."""
    return [re.compile(f"(?:{filler})(\\w?)", re.IGNORECASE) for filler in fillers]


def has_filler(text: str, fillers: Sequence[re.Pattern[str]]) -> bool:
    return any(filler.search(text) for filler in fillers)


def _clean_prose(text: str, fillers: Sequence[re.Pattern[str]]) -> str:
    for filler in fillers:
        text = filler.sub(_next_letter, text)
    text = _SPACE_RUN.sub(" ", _TRAILING_SPACE.sub("", text))
    return _BLANK_LINES.sub("\n\n", text)


def _next_letter(match: re.Match[str]) -> str:
    """Return the letter after a filler, as a capital where the filler began with one."""
    letter = match.group(match.re.groups)
    return letter.upper() if match.group()[0].isupper() else letter
