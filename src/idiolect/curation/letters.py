"""Letters as a pattern wants them: every space, hyphen, digit and quote of Unicode as the one of ASCII, in its place.

What is copied from web pages and telephones holds no-break spaces, typographic hyphens, digits of other scripts.
"""

from __future__ import annotations

import sys
import unicodedata
from functools import cache


def in_ascii(text: str) -> str:
    """Return a text of the same length; what stands somewhere in it stands there in the given one."""
    return text if text.isascii() else text.translate(_table())


@cache
def _table() -> dict[int, str]:
    """Return the letters that have one of ASCII to stand for them (general categories of Unicode's database)."""
    table = {}
    for number in range(128, sys.maxunicode + 1):
        letter = chr(number)
        match unicodedata.category(letter):
            case "Nd":
                table[number] = str(unicodedata.decimal(letter))
            # Cf: what is not seen, as the marks of direction around a telephone number.
            case "Zs" | "Cf":
                table[number] = " "
            case "Pd":
                table[number] = "-"
            case "Pi" | "Pf":
                table[number] = '"'
    fullwidth = {0xFEE0 + code: chr(code) for code in range(0x21, 0x7F)}
    others = {"−": "-", "\u00ad": "-", "⁃": "-", "„": '"', "‚": '"', "․": ".", "⁺": "+", "﹢": "+", "﹫": "@"}
    return table | fullwidth | {ord(letter): plain for letter, plain in others.items()}
