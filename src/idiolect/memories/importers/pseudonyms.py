"""Other people's names replaced by ones that stay the same: in every text, every source and every later import.

Each word of a name has its own pseudonym, so that who is called Anna Berg in one chat and Anna in another text is
Kim Lund here and Kim there. Which is whose stands in a file of the profile, which never leaves it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from importlib import resources
from itertools import count
from pathlib import Path

import msgspec

from idiolect.errors import ExportFault
from idiolect.files import write_json

_WORD = re.compile(r"@?\w+")
_UNSPACED = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]")


class Pseudonyms:
    """Who is called what instead. `mine` are names of the person, which stay."""

    def __init__(self, file: Path, mine: Iterable[str] = ()) -> None:
        self._file = file
        self._mine = {part for name in mine for part in _parts(name)}
        self.known = _known(file)
        self._taken = set(self.known) | set(self.known.values())
        given, family = resources.files(__package__).joinpath("pseudonyms.txt").read_text().split("\n\n")
        self._given, self._family = self._unused(given.split()), self._unused(family.split())

    def learn(self, names: Iterable[str]) -> None:
        """Give each part of these names a pseudonym, if it has none."""
        for name in names:
            for number, part in enumerate(_parts(name)):
                if part not in self._mine and part not in self.known:
                    self.known[part] = next(self._family if number else self._given)
                    self._taken |= {part, self.known[part]}

    def save(self) -> None:
        write_json(self._file, self.known)

    def _unused(self, names: list[str]) -> Iterator[str]:
        for number in count(1):
            for name in names:
                pseudonym = name if number == 1 else f"{name} {number}"
                if pseudonym not in self._taken:
                    yield pseudonym


class Mask:
    """Replaces parts of names in texts, as `known` says, in time that does not grow with how many there are."""

    def __init__(self, known: Mapping[str, str]) -> None:
        self._known = known
        self._phrases = {p: new for p, new in known.items() if not _is_word(p)}
        lengths: dict[str, set[int]] = {}
        for phrase in self._phrases:
            lengths.setdefault(phrase[:2], set()).add(len(phrase))
        self._lengths = {start: sorted(found, reverse=True) for start, found in lengths.items()}
        """How long the phrases are that begin with two characters, the longest first."""

    def text(self, text: str) -> str:
        return _WORD.sub(self._masked, self._without_phrases(text))

    def _without_phrases(self, text: str) -> str:
        kept, copied, at = [], 0, 0
        while at < len(text) - 1:
            for length in self._lengths.get(text[at : at + 2], ()):
                if (pseudonym := self._phrases.get(text[at : at + length])) is not None:
                    kept += [text[copied:at], pseudonym]
                    at = copied = at + length
                    break
            else:
                at += 1
        return "".join([*kept, text[copied:]]) if kept else text

    def _masked(self, found: re.Match[str]) -> str:
        word = found[0]
        if word[0] == "@":
            return "@" + self._known.get(word[1:], word[1:])
        pseudonym = self._known.get(word)
        # A nickname in small letters may be a word of the language, too: only before a colon is it surely a name.
        if pseudonym is None or (word[0].islower() and not _is_label(found)):
            return word
        return pseudonym


def _parts(name: str) -> list[str]:
    """Return the parts of a name that could stand for it: its words, or the whole of an address or a number."""
    words = [w for w in re.findall(r"\w+", name) if len(w) > 1 and not w.isdecimal()]
    proper = [w for w in words if not w[0].islower()]
    if "@" in name or not words:
        return [name.strip()] if len(name.strip()) > 3 else []
    return proper or ([name.strip()] if len(words) > 1 else words)


def _is_word(part: str) -> bool:
    """Tell whether a part of a name stands between spaces where it is used; not so in scripts without them."""
    return _WORD.fullmatch(part) is not None and not _UNSPACED.search(part)


def _is_label(found: re.Match[str]) -> bool:
    text, start, end = found.string, found.start(), found.end()
    return (start == 0 or text[start - 1] == "\n") and (end == len(text) or text.startswith(": ", end))


def _known(file: Path) -> dict[str, str]:
    try:
        return msgspec.json.decode(file.read_bytes(), type=dict[str, str]) if file.exists() else {}
    except msgspec.MsgspecError as error:
        raise ExportFault(
            f"{file} cannot be read: {error}", "Mend it; without it, masked names would change."
        ) from error
