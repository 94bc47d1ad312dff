"""Addresses, numbers and keys that must not be learned, replaced by what kind of thing stood there.

Patterns and checksums: names of people and places stay, but for those that a person lists. A number counts as a
telephone number if it is written with its country code and has a length that is possible there, or if it is a valid
one in the person's own country (libphonenumber's data); as a card if its check digit holds (ISO/IEC 7812); as an IBAN
if its length and check digits do (ISO 13616).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import cache

from idiolect.config import MASKED, Masked
from idiolect.curation.keys import mask_keys

_EMAIL = re.compile(r"(?<![\w.+%-])[\w.+%-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}")
_IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?:[ -]?[A-Z0-9]){11,30}\b", re.IGNORECASE)
_CARD = re.compile(r"(?<!\d)(?:\d{4}([ -])\d{4}\1\d{4}\1\d{4}|\d{4}([ -])\d{6}\2\d{4,5}|\d{13,19})(?!\d)")
_CARD_IN_ODD_GROUPS = re.compile(r"(?<![\w+])\d(?:[ -]?\d){12,18}(?!\d)")
_BYTE = r"(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"
_IP4 = re.compile(rf"(?<![\w.]){_BYTE}(?:\.{_BYTE}){{3}}(?!\w|\.\d)")
_IP6 = re.compile(r"(?<![\w:.])(?:[0-9A-Fa-f]{0,4}:){2,7}(?:(?:\d{1,3}\.){3}\d{1,3}|[0-9A-Fa-f]{1,4})?(?![\w:])")
_LONG_NUMBER = re.compile(r"\d(?:[\s()./-]{0,3}\d){5}")
_DIALLED_ABROAD = re.compile(r"(?<![\d+])00(?=[1-9](?:[\s()./-]{0,2}\d){6})")
_DIGIT = re.compile(r"\d")
_PLACEHOLDER = re.compile(r"(\[(?:email|phone|card|iban|ip|key|name \d+)\])")


def mask(text: str, found: dict[str, int], kinds: Collection[Masked] = MASKED, region: str | None = None) -> str:
    """Return the text with placeholders, and count into `found` how many of each kind were put in.

    What was masked stays as it is when it is masked again. In `region` (a country by ISO 3166) a telephone number
    needs no country code.
    """
    before = None if kinds else text
    while text != before:  # what was hidden by another thing before may show now
        before = text
        has_digit = _DIGIT.search(text) is not None
        for kind in kinds:
            if has_digit or kind in _WITHOUT_DIGITS:
                text, count = _MASKS[kind](text, region)
                if count:
                    found[f"[{kind}]"] = found.get(f"[{kind}]", 0) + count
    return text


def mask_names(text: str, names: Sequence[str], found: dict[str, int]) -> str:
    """Replace names by [name 1], [name 2], …, so that who is who stays the same."""
    for number, pattern in _name_patterns(tuple(names)):
        if pattern.search(text):
            parts = _PLACEHOLDER.split(text)
            replaced = [pattern.subn(f"[name {number}]", part) for part in parts[::2]]
            parts[::2] = [part for part, _ in replaced]
            text = "".join(parts)
            if count := sum(count for _, count in replaced):
                found["[name]"] = found.get("[name]", 0) + count
    return text


@cache
def _name_patterns(names: tuple[str, ...]) -> list[tuple[int, re.Pattern[str]]]:
    """Return a pattern for each name with its number in the list, the longest first: Anna Maria is not Anna."""
    numbered = sorted(enumerate(names, start=1), key=lambda n: -len(n[1]))
    return [(n, re.compile(rf"\b{re.escape(name)}\b", re.IGNORECASE)) for n, name in numbered if name.strip()]


def _mask_emails(text: str, _region: str | None) -> tuple[str, int]:
    return _EMAIL.subn("[email]", text) if "@" in text else (text, 0)


def _mask_keys(text: str, _region: str | None) -> tuple[str, int]:
    return mask_keys(text, "[key]")


def _mask_ibans(text: str, _region: str | None) -> tuple[str, int]:
    from stdnum import iban

    spans = []
    for match in _IBAN.finditer(text):
        candidate = match.group()
        # What follows may look like a part of it; each country's IBANs have one length.
        ends = [m.end() for m in re.finditer(r"\w\b", candidate) if m.end() > 14]
        end = next((e for e in reversed(ends) if iban.is_valid(candidate[:e])), None)
        if end:
            spans.append((match.start(), match.start() + end))
    return _replaced(text, spans, "[iban]"), len(spans)


def _mask_cards(text: str, _region: str | None) -> tuple[str, int]:
    from stdnum import luhn

    total = 0
    for pattern in (_CARD, _CARD_IN_ODD_GROUPS):
        spans = [m.span() for m in pattern.finditer(text) if luhn.is_valid(re.sub(r"\D", "", m.group()))]
        text = _replaced(text, spans, "[card]")
        total += len(spans)
    return text, total


def _mask_ips(text: str, _region: str | None) -> tuple[str, int]:
    six = [m.span() for m in _IP6.finditer(text) if _is_ip6(m.group())] if "::" in text or text.count(":") > 6 else []
    text, four = _IP4.subn("[ip]", _replaced(text, six, "[ip]"))
    return text, len(six) + four


def _is_ip6(text: str) -> bool:
    """Tell an address from what programs name with two colons, too."""
    import ipaddress

    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        return False
    return _DIGIT.search(text) is not None and len([group for group in text.split(":") if group]) > 1


def _mask_phones(text: str, region: str | None) -> tuple[str, int]:
    if not _LONG_NUMBER.search(text):
        return text, 0
    import phonenumbers
    from phonenumbers import Leniency, PhoneNumberMatcher

    total = 0
    # 0047… is +47…, and as long.
    international = _DIALLED_ABROAD.sub(" +", text)
    if "+" in international:
        spans = []
        for match in PhoneNumberMatcher(international, None, leniency=Leniency.POSSIBLE):
            dialled = text[match.start] != "+"
            if not dialled or phonenumbers.is_valid_number(match.number):
                spans.append((match.start - dialled, match.end))
        text, total = _masked_numbers(text, spans)
    if region:
        spans = [(m.start, m.end) for m in PhoneNumberMatcher(text, region, leniency=Leniency.VALID)]
        text, count = _masked_numbers(text, spans)
        total += count
    return text, total


def _masked_numbers(text: str, spans: Sequence[tuple[int, int]]) -> tuple[str, int]:
    """Leave alone what runs into a placeholder, as "[name 1] 23"."""
    apart = [(start, end) for start, end in spans if not set("[]").intersection(text[start:end])]
    return _replaced(text, apart, "[phone]"), len(apart)


def _replaced(text: str, spans: Sequence[tuple[int, int]], placeholder: str) -> str:
    """Replace parts of a text that stand in order."""
    borders = [0, *(border for span in spans for border in span), len(text)]
    return placeholder.join(text[start:end] for start, end in zip(borders[::2], borders[1::2], strict=True))


_MASKS: Mapping[Masked, Callable[[str, str | None], tuple[str, int]]] = {
    "key": _mask_keys,
    "email": _mask_emails,
    "iban": _mask_ibans,
    "card": _mask_cards,
    "ip": _mask_ips,
    "phone": _mask_phones,
}
_WITHOUT_DIGITS = frozenset({"key", "email"})
