"""Texts that llama.cpp cannot cut into tokens: where one word, or one row of signs, has no end.

For most families' tokenizers llama.cpp looks for words by std::regex, which goes one call deeper with each character of
a word. Letters, signs or spaces in a row end the whole process once its stack is full: measured with a stack of 8 MB,
20,000 of them did not, and 30,000 did, with the rules of GPT-4o, Mistral (tekken), DeepSeek and others.
"""

from __future__ import annotations

import unicodedata
from itertools import groupby

from idiolect.errors import DataFault

#: Characters of one kind in a row. No word has so many; a file that somebody pasted may.
LONGEST = 4_000


def longest_run(text: str) -> int:
    """Return how many characters of one kind there are in a row at most; 0 for a text that is too short to matter."""
    if len(text) <= LONGEST:
        return 0
    kinds: list[str] = []
    for character in text:
        # A mark belongs to what it stands on: some rules take a row of marks, or of letters with marks, for one word.
        kinds.append(_kind(character) or (kinds[-1] if kinds else "letter"))
    return max((sum(1 for _ in run) for _, run in groupby(kinds)), default=0)


def check_breaks(text: str) -> None:
    """Raise DataFault for a text with more than LONGEST characters of one kind in a row."""
    longest = longest_run(text)
    if longest > LONGEST:
        raise DataFault(
            f"{longest:,} characters in a row without a break are more than llama.cpp can cut into tokens.",
            f"Leave out what is no text, as a pasted file; {LONGEST:,} in a row are the most.",
        )


def _kind(character: str) -> str:
    """Return what a character is to a tokenizer's rules; a mark is nothing by itself."""
    if character.isspace():
        return "space"
    category = unicodedata.category(character)[0]
    return {"L": "letter", "N": "number", "M": ""}.get(category, "sign")
