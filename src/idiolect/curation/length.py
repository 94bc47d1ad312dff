"""Shorter replies: MetaHuman OS' rule of 40 words for most and 300 for a few, without its torn sentences."""

from __future__ import annotations

import re

from idiolect.config import CurationRules
from idiolect.curation.prompts import draw

_SENTENCE = re.compile(r"\S.*?(?:[.!?…]+[\"'”’)\]]*(?=\s)|\n{2,}|\Z)", re.DOTALL)


def word_limit(rules: CurationRules, memory: str, seed: int) -> int:
    """Return how many words a reply of this memory may have; which are the few follows from the seed."""
    long = draw(f"{seed}:length:{memory}") < rules.long_share
    return rules.long_words if long else rules.short_words


def cut(text: str, words: int) -> str:
    """Return the whole sentences at the beginning that have at most `words` words, but at least one sentence.

    A text with a code block is left alone.
    """
    if len(text.split()) <= words or "```" in text:
        return text
    end = 0
    for sentence in _SENTENCE.finditer(text):
        if end and len(text[: sentence.end()].split()) > words:
            break
        end = sentence.end()
    return text[:end].rstrip()
