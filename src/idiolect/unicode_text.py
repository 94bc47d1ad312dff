"""One spelling of the same letters: composed (NFC), in what is trained on as in what is asked."""

from __future__ import annotations

import unicodedata


def composed(text: str) -> str:
    """Return a text in Unicode's composed form (NFC, annex 15 of the Unicode standard).

    Some tokenizers compose what they read and llama.cpp never does: only a text that is composed already is cut into
    the same tokens by both.
    """
    return unicodedata.normalize("NFC", text)
