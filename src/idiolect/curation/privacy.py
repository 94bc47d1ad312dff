"""Addresses, numbers and keys that must not be learned, replaced by what kind of thing stood there.

Patterns and checksums: names of people and places stay, but for those that a person lists. A number counts as a
telephone number if it is written with its country code and has a length that is possible there (libphonenumber's
data), as a card if its check digit holds (ISO/IEC 7812), as an IBAN if its own does (ISO 13616).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cache

_PATTERNS = {
    "[key]": re.compile(
        r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)"
        r"|\b(?:sk|pk|rk)[-_][A-Za-z0-9_-]{16,}"  # OpenAI, Stripe and those that followed them
        r"|\bgh[pousr]_[A-Za-z0-9]{30,}|\bgithub_pat_\w{30,}"
        r"|\bAKIA[A-Z0-9]{16}\b"
        r"|\bAIza[A-Za-z0-9_-]{30,}"
        r"|\bhf_[A-Za-z0-9]{30,}"
        r"|\bxox[abprs]-[A-Za-z0-9-]{10,}"
        r"|\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}",  # JSON web tokens
        re.DOTALL,
    ),
    "[email]": re.compile(r"\b[\w.+-]+@[\w-]+(?:\.[\w-]+)+\b"),
    "[iban]": re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b"),
    "[card]": re.compile(r"(?<![\w+])\d(?:[ -]?\d){12,18}\b"),
    "[ip]": re.compile(r"\b(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)\b"),
}

_DIGIT = re.compile(r"\d")
#: The shortest key that a pattern knows.
_KEY_LENGTH = 15


def mask(text: str) -> tuple[str, Counter[str]]:
    """Return the text with placeholders, and how many of each kind were put in."""
    found: Counter[str] = Counter()
    for placeholder in _suspected(text):
        text, count = _replaced(text, _PATTERNS[placeholder], placeholder)
        found[placeholder] += count
    if "+" in text:
        import phonenumbers

        numbers = phonenumbers.PhoneNumberMatcher(text, None, leniency=phonenumbers.Leniency.POSSIBLE)
        for match in reversed(list(numbers)):
            text = f"{text[: match.start]}[phone]{text[match.end :]}"
            found["[phone]"] += 1
    return text, +found


def _suspected(text: str) -> Iterator[str]:
    """Yield the kinds that may stand in a text, by what they cannot do without: most texts have none of it."""
    if "-----BEGIN" in text or max(map(len, text.split()), default=0) >= _KEY_LENGTH:
        yield "[key]"
    if "@" in text:
        yield "[email]"
    if _DIGIT.search(text):
        yield from ("[iban]", "[card]", "[ip]")


def _replaced(text: str, pattern: re.Pattern[str], placeholder: str) -> tuple[str, int]:
    """Replace what matches a pattern and, where its kind has one, the checksum."""
    holds = _CHECKSUMS.get(placeholder)
    matches = [m for m in pattern.finditer(text) if holds is None or holds(m.group())]
    for match in reversed(matches):
        text = f"{text[: match.start()]}{placeholder}{text[match.end() :]}"
    return text, len(matches)


def _is_card(digits: str) -> bool:
    from stdnum import luhn

    return bool(luhn.is_valid(re.sub(r"\D", "", digits)))


def _is_iban(number: str) -> bool:
    from stdnum import iban

    return bool(iban.is_valid(number))


_CHECKSUMS = {"[card]": _is_card, "[iban]": _is_iban}


def mask_names(text: str, names: Sequence[str]) -> str:
    """Replace names by [name 1], [name 2], …, so that who is who stays the same."""
    for number, pattern in enumerate(_name_patterns(tuple(names)), start=1):
        text = pattern.sub(f"[name {number}]", text)
    return text


@cache
def _name_patterns(names: tuple[str, ...]) -> list[re.Pattern[str]]:
    return [re.compile(rf"\b{re.escape(name)}\b", re.IGNORECASE) for name in names]
