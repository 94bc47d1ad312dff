"""Addresses, numbers and keys that must not be learned, replaced by what kind of thing stood there.

Patterns and checksums: names of people and places stay, but for those that a person lists. A number counts as a
telephone number if it is written with its country code and has a length that is possible there, or if it is a valid
one in the person's own country (libphonenumber's data); as a card if its check digit holds (ISO/IEC 7812); as an IBAN
if its length and check digits do (ISO 13616).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import cache

from idiolect.config import MASKED, Masked
from idiolect.curation.keys import Span, keys_in
from idiolect.curation.letters import in_ascii

_EMAIL = re.compile(r"(?<![\w.+%-])[\w.+%-]{1,64}@(?:[\w-]{1,63}\.){1,8}(?:[^\W\d_]{2,24}|xn--[\w-]{2,59})(?![\w-])")
#: `ada (at) example (dot) org`, as people write it where machines read along.
_EMAIL_IN_WORDS = re.compile(
    r"\b[\w.+%-]{1,64}\s?(?:[\[({<](?:at|ät|@|arroba|arobase)[\])}>]|\s(?:AT|at)\s(?=[\w-]{1,63}\s(?:DOT|dot)\s))"
    r"\s?[\w-]{1,63}"
    r"(?:\s?(?:[\[({<](?:dot|punkt|punto|point|\.)[\])}>]|\s(?:DOT|dot)\s|\.)\s?[\w-]{2,63}){1,4}"
)
#: The user that code is fetched as; what stands for anybody; a picture for fine screens.
_NO_EMAIL = re.compile(r"(?:git|hg|svn)@|(?:foo|bar|baz|qux)@(?:foo|bar|baz|qux)\.|[^@]*@[1-4]x\.", re.IGNORECASE)
_IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?:[ -]?[A-Z0-9]){11,30}\b", re.IGNORECASE)
_CARD = re.compile(r"(?<!\d)(?:\d{4}([ -])\d{4}\1\d{4}\1\d{4}|\d{4}([ -])\d{6}\2\d{4,5}|\d{13,19})(?!\d)")
_CARD_IN_ODD_GROUPS = re.compile(r"(?<![\w+])\d(?:[ -]?\d){12,18}(?!\d)")
#: How the numbers of those who issue cards begin, and how long they are (ISO/IEC 7812 and the schemes' own lists).
_ISSUED = re.compile(
    r"4\d{12}(?:\d{3})?(?:\d{3})?|(?:5[0-8]|6\d|22|23|24|25|26|27|35|81|82|97)\d{11,17}|3[47]\d{13}|3[0689]\d{12,17}"
)
_BYTE = r"(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"
_IP4 = re.compile(rf"(?<![\w.]){_BYTE}(?:\.{_BYTE}){{3}}(?!\w|\.\d)")
#: What stands before four numbers that are no address: of a version, a chapter, a program that shows itself.
_NO_IP = re.compile(
    r"(?:\b(?:v|ver|version|versjon|versión|release|rel|rev|build|section|sect|sec|chapter|clause|article|paragraph|figure"
    r"|fig|table|step|item|kapittel|kapitel|abschnitt|avsnitt|punkt|driver|firmware|kernel|update|upgrade|downgrade)\b"
    r"[.:]?\s?|§\s?|[A-Za-z]/|==)$",
    re.IGNORECASE,
)
_IP6 = re.compile(r"(?<![\w:.])(?:[0-9A-Fa-f]{0,4}:){2,7}(?:(?:\d{1,3}\.){3}\d{1,3}|[0-9A-Fa-f]{1,4})?(?![\w:])")
_LONG_NUMBER = re.compile(r"\d(?:[\s()./-]{0,3}\d){5}")
_DIALLED_ABROAD = re.compile(r"(?<![\d+])00(?=[1-9](?:[\s()./-]{0,2}\d){6})")
#: `+47 (0) 912 34 567`: what is dialled at home alone.
_AT_HOME = re.compile(r"(\+\d{1,3})([\s-]?\(0\)[\s-]?)(?=\d)")
#: Seven numbers of a lottery are no telephone's.
_DRAWN = re.compile(r"\d{1,2}(?:[ ,-]{1,2}\d{1,2}){5,}")
_BEFORE = 24
_AT = re.compile(r"[\[({<](?:at|ät|@|alpha|arroba|arobase)[\])}>]|\b(?:DOT|dot)\b")
_DIGIT = re.compile(r"\d")
_PLACEHOLDER = re.compile(r"(\[(?:email|phone|card|iban|ip|key|name \d+)\])")


def mask(text: str, found: dict[str, int], kinds: Collection[Masked] = MASKED, region: str | None = None) -> str:
    """Return the text with placeholders, and count into `found` how many of each kind were put in.

    What was masked stays as it is when it is masked again. In `region` (a country by ISO 3166) a telephone number
    needs no country code.
    """
    before = None if kinds else text
    while text != before:  # what was hidden by another thing before may show now
        before, shown = text, in_ascii(text)
        has_digit = _DIGIT.search(shown) is not None
        for kind in kinds:
            spans = _FINDERS[kind](shown, region) if has_digit or kind in _WITHOUT_DIGITS else []
            if spans:
                placeholder = f"[{kind}]"
                found[placeholder] = found.get(placeholder, 0) + len(spans)
                text, shown = _replaced(text, spans, placeholder), _replaced(shown, spans, placeholder)
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


def _emails_in(text: str, _region: str | None) -> list[Span]:
    spelt = [m.span() for m in _EMAIL_IN_WORDS.finditer(text)] if _AT.search(text) else []
    written = _EMAIL.finditer(text) if "@" in text else ()
    return _apart([*spelt, *(m.span() for m in written if not _NO_EMAIL.match(m.group()))])


def _keys_in(text: str, _region: str | None) -> list[Span]:
    return keys_in(text)


def _ibans_in(text: str, _region: str | None) -> list[Span]:
    from stdnum import iban

    spans = []
    for match in _IBAN.finditer(text):
        candidate = match.group()
        # What follows may look like a part of it; each country's IBANs have one length.
        ends = [m.end() for m in re.finditer(r"\w\b", candidate) if m.end() > 14]
        end = next((e for e in reversed(ends) if iban.is_valid(candidate[:e])), None)
        if end:
            spans.append((match.start(), match.start() + end))
    return spans


def _cards_in(text: str, _region: str | None) -> list[Span]:
    both = (m for pattern in (_CARD, _CARD_IN_ODD_GROUPS) for m in pattern.finditer(text))
    return _apart([m.span() for m in both if _is_card(re.sub(r"\D", "", m.group()))])


def _is_card(digits: str) -> bool:
    from stdnum import luhn

    return _ISSUED.fullmatch(digits) is not None and luhn.is_valid(digits)


def _ips_in(text: str, _region: str | None) -> list[Span]:
    six = [m.span() for m in _IP6.finditer(text) if _is_ip6(m.group())] if "::" in text or text.count(":") > 6 else []
    return _apart([*six, *(m.span() for m in _IP4.finditer(text) if _is_ip4(m))])


def _is_ip4(match: re.Match[str]) -> bool:
    """Tell an address from a version: 1.2.3.4 is nobody's computer in a talk."""
    if all(len(part) == 1 for part in match.group().split(".")):
        return False
    return not _NO_IP.search(match.string[max(match.start() - _BEFORE, 0) : match.start()])


def _is_ip6(text: str) -> bool:
    """Tell an address from what programs name with two colons, too."""
    import ipaddress

    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        return False
    return _DIGIT.search(text) is not None and len([group for group in text.split(":") if group]) > 1


def _phones_in(text: str, region: str | None) -> list[Span]:
    if not _LONG_NUMBER.search(text):
        return []
    from phonenumbers import Leniency, PhoneNumberMatcher

    spans = list(_phones_abroad(text)) if "+" in text or "00" in text else []
    if region:
        spans += [
            (m.start, m.end)
            for m in PhoneNumberMatcher(text, region, leniency=Leniency.VALID)
            if not _DRAWN.fullmatch(m.raw_string) and "ISBN" not in text[max(m.start - _BEFORE, 0) : m.start]
        ]
    # What runs into a placeholder is left alone, as "[name 1] 23".
    return _apart([(start, end) for start, end in spans if not set("[]").intersection(text[start:end])])


def _phones_abroad(text: str) -> Iterator[Span]:
    """Yield numbers with a country code; 0047… is +47…, and as long."""
    import phonenumbers
    from phonenumbers import Leniency, PhoneNumberMatcher

    moved: dict[int, int] = {}

    def without_zero(match: re.Match[str]) -> str:
        moved[match.start() + len(match[2])] = match.start()
        return " " * len(match[2]) + match[1]

    international = _AT_HOME.sub(without_zero, _DIALLED_ABROAD.sub(" +", text))
    for match in PhoneNumberMatcher(international, None, leniency=Leniency.POSSIBLE):
        start = moved.get(match.start, match.start)
        dialled = text[start] != "+"
        if not dialled or phonenumbers.is_valid_number(match.number):
            yield start - dialled, match.end


def _apart(spans: list[Span]) -> list[Span]:
    """Return spans in order, without those that overlap one before."""
    apart: list[Span] = []
    for start, end in sorted(spans):
        if not apart or start >= apart[-1][1]:
            apart.append((start, end))
    return apart


def _replaced(text: str, spans: Sequence[tuple[int, int]], placeholder: str) -> str:
    """Replace parts of a text that stand in order."""
    borders = [0, *(border for span in spans for border in span), len(text)]
    return placeholder.join(text[start:end] for start, end in zip(borders[::2], borders[1::2], strict=True))


_FINDERS: Mapping[Masked, Callable[[str, str | None], list[Span]]] = {
    "key": _keys_in,
    "email": _emails_in,
    "iban": _ibans_in,
    "card": _cards_in,
    "ip": _ips_in,
    "phone": _phones_in,
}
_WITHOUT_DIGITS = frozenset({"key", "email"})
