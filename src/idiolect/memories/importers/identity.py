"""Who of those who wrote is the person: what they are called, resolved to identities of the source, once for an import.

A name is only the way to an identity (an id, a number, an address): whoever has that identity is the person under any
name, and nobody else is, though they bear the same name. A name that belongs to several is refused, with the choices.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable

from idiolect.memories.importers.message import Person

#: Of so many people it is remembered whether they are the person.
_REMEMBERED = 10_000
_DASHES = re.compile(r"[\u2010-\u2015\u2212]")
_NUMBER = re.compile(r"\+[\d\s().-]{6,24}")


def folded(name: str) -> str:
    """Return a name as it is compared: NFKC, in small letters, without marks that nobody sees, white space folded."""
    if name.isascii():
        plain = " ".join(name.split()).casefold()
    else:
        composed = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
        seen = "".join(c for c in composed if unicodedata.category(c) != "Cf")
        plain = " ".join(_DASHES.sub("-", seen).split())
    return re.sub(r"[^\d+]", "", plain) if _NUMBER.fullmatch(plain) else plain


def identity_of(who: Person) -> str:
    """Return what stays the same of somebody under all their names."""
    return who.id or who.name


class Selves:
    """The person's identities, as far as an export has been read; called with somebody, whether that is the person.

    Answers are given while messages pass. If a later one shows that an earlier was wrong, `again` has what is to be
    asked with in a second reading.
    """

    def __init__(self, names: Collection[str], identities: Iterable[str] = ()) -> None:
        self._wanted = {folded(n) for n in names}
        self.mine = set(identities)
        self._others: set[str] = set()
        self._direct = set(self.mine)
        """Identities that were named themselves, or that the export marks as the person's."""
        self._bearers: dict[str, dict[str, Person]] = {}
        self._late = False
        # By the object, which is kept, so that no other takes its number.
        self._answers: dict[int, tuple[Person, bool]] = {}

    def __call__(self, who: Person) -> bool:
        try:
            return self._answers[id(who)][1]
        except KeyError:
            if len(self._answers) >= _REMEMBERED:
                self._answers.clear()
            answer = self._decided(who)
            self._answers[id(who)] = who, answer
            return answer

    def bearers(self) -> list[Person]:
        """Return all who bear a name that belongs to several of whom none is known to be the person."""
        unsure = [b for b in self._bearers.values() if len(b) > 1 and not self._direct & b.keys()]
        return list({identity_of(who): who for several in unsure for who in several.values()}.values())

    def again(self) -> set[str] | None:
        """Return the identities by which all has to be read again, or None where what was answered holds."""
        namesakes = {i for b in self._bearers.values() if self._direct & b.keys() for i in b if i not in self._direct}
        resolved = self.mine - namesakes
        return resolved if self._late or resolved != self.mine else None

    def _decided(self, who: Person) -> bool:
        identity = identity_of(who)
        direct = bool(who.me) or (bool(who.id) and folded(who.id) in self._wanted)
        names = {folded(n) for n in (who.name, *who.also)} & self._wanted
        if direct:
            self._direct.add(identity)
        for name in names:
            self._bearers.setdefault(name, {}).setdefault(identity, who)
        if direct or names:
            self._late = self._late or identity in self._others
            self.mine.add(identity)
        if identity in self.mine:
            return True
        self._others.add(identity)
        return False
