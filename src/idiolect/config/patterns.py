"""Regular expressions that a person writes into curation.json: each look at a text has its time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import regex

from idiolect.errors import OptionFault

#: A sound pattern takes a thousandth of it, for the longest text.
_SECONDS = 5.0


class TimedPattern:
    """A pattern of the package regex. Its methods raise OptionFault, which names it, if they take too long."""

    def __init__(self, pattern: str, *, named: str = "", ignore_case: bool = False, dot_is_all: bool = False) -> None:
        flags = (regex.IGNORECASE if ignore_case else 0) | (regex.DOTALL if dot_is_all else 0)
        self._pattern = regex.compile(pattern, flags)
        self._named = named or pattern

    def match(self, text: str) -> Any:
        return self._within(lambda: self._pattern.match(text, timeout=_SECONDS))

    def fullmatch(self, text: str) -> Any:
        return self._within(lambda: self._pattern.fullmatch(text, timeout=_SECONDS))

    def subn(self, new: Callable[[Any], str], text: str) -> tuple[str, int]:
        replaced, count = self._within(lambda: self._pattern.subn(new, text, timeout=_SECONDS))
        return str(replaced), int(count)

    def _within(self, look: Callable[[], Any]) -> Any:
        try:
            return look()
        except TimeoutError as error:
            raise OptionFault(
                f"The pattern {self._named} has not been looked for to the end of one text in {_SECONDS:g} seconds.",
                "Simplify it in curation.json: a repetition within a repetition tries everything.",
            ) from error
