"""Names for messages that have none in their export: made of when, who and what, so that every export names them so."""

from __future__ import annotations

import hashlib
from collections import Counter


class Naming:
    """Names the messages of one conversation, which come in the order of time."""

    def __init__(self) -> None:
        self._same: Counter[tuple[str, str]] = Counter()
        self._last = ""

    def name(self, time: str, who: str, text: str) -> str:
        """Name a message; the same again at the same time is told apart by its number."""
        if time != self._last:
            self._same.clear()
            self._last = time
        self._same[who, text] += 1
        whole = f"{time}\0{who}\0{text}\0{self._same[who, text]}".encode("utf-8", "replace")
        return hashlib.blake2b(whole, digest_size=8).hexdigest()
