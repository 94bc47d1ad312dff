"""Keys, tokens and passwords: by the forms of those who issue them, or by what stands before them.

A secret in no form of its own is known by its name: `password = …`, `api_key: …`, `the password for the wifi was …`, in
the languages that most who write here speak.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from idiolect.curation.key_forms import FORMS

Span = tuple[int, int]

_FORM = re.compile(rf"(?<![A-Za-z0-9])(?:{'|'.join(FORMS.values())})")
_SHORTEST = 12
_LONG_RUN = re.compile(rf"(?<!\S)\S{{{_SHORTEST},}}")

_PRIVATE_KEY = re.compile(
    r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----.*?"
    r"(?:-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----|\Z)",
    re.DOTALL,
)

#: What a password is called, in some languages: English, German, Norwegian, Danish, Swedish, Dutch, French, Spanish,
#: Portuguese, Italian, Polish, Russian.
_LOGIN_WORDS = (
    "passw|passphrase|passord|passcode|pwd|kennwort|losung|contrase[ñn]a|clave de acceso|mot de passe|mdp|senha"
    "|wachtwoord|l[öo]senord|adgangskode|kodeord|hasł|hasel|парол|parola d'ordine|palabra de paso|palavra-passe"
)
_KEY_WORDS = (
    "secret|token|credential|(?:api|access|account|private|auth|recovery|encryption|master|signing|licen[cs]e|product|wifi"
    "|wi-fi|wpa2?|network|activation|wallet)[_ -]?key|(?:recovery|backup|activation)[_ -]?codes?|bitlocker"
    r"|(?<!boarding )(?<!ski )(?:\b|_)pass(?=\s?[:=])"
)
_VALUE = r"[^\s\"'`<>\[\]{}(),;]"
_NAME = rf"(?P<name>(?:{_LOGIN_WORDS})\w{{0,10}}|(?:{_KEY_WORDS})(?:[_-]\w{{1,20}})?)"
#: What a password's name begins, and is no password: `my password manager is 1Password`.
_NOT_ITSELF = "manager|polic|reset|protect|length|field|strength|hash|generator|prompt|recovery|hygiene|rule|list|book"
_BETWEEN = rf"(?:\s(?!(?:{_NOT_ITSELF}))[^\s.,;:!?=\[\]]{{1,20}}){{0,7}}?"
_IS = (
    "is|was|are|were|will be|becomes|remains|stays|reads|(?:has been |was |is )?(?:changed|set|reset) to"
    "|ist|war|lautet|lautete|heißt|heisst|hieß|wird|er|var|blir|blev|ble|lyder|är|heter|wordt|luidt|est|était|etait|sera"
    "|devient|es|era|será|fue|é|foi|è|sarà|fu|to|jest|było|brzmi|это|был|была|теперь"
)
#: Verbs that only a value follows.
_READS = re.compile(r"(?:lautete?|lyder|luidt|brzmi|reads|to)\s*$", re.IGNORECASE)
_EQUALS = (
    rf"""(?:(?P<of>{_BETWEEN})["'`]?\s{{0,3}}(?:[:=]>?|:=)\s{{0,3}}(?P<quote>["'`]?)"""
    rf"""|{_BETWEEN}\s(?P<is>(?:{_IS}):?\s)(?P<isquote>["'`]?)|\s?[—–-]\s(?P<dash>))"""
)
_SCHEME = r"\b(?P<scheme>Bearer|Basic)\s+(?P<credential>(?=[\w.~+/=-]*\d)[\w.~+/=-]{16,})"
_ASSIGNED = re.compile(rf"{_NAME}{_EQUALS}(?P<value>{_VALUE}{{4,200}})|{_SCHEME}", re.IGNORECASE)
#: Numbers that open something: `PIN: 4711`, `the door code is 0815`.
_CODE = re.compile(
    r"(?:\b(?P<pin>pin|puk|cvv2?|cvc2?)\b(?!-?\d)|\b(?:pin|puk|door|gate|alarm|entry|access|lock|safe|security"
    r"|verification|confirmation|one[- ]time|2fa|login|unlock|sms)[ -]?(?:code|kode|kod|nummer|number)\b"
    r"|\bpin-?(?:code|kode|kod)\w{0,3}|\b(?:code|código|codigo|codice|пин)[ -]?(?:pin|код)\b"
    r"|\b(?:engangs|dør|port|alarm|tür|sikkerhets)kode\b|\b(?:Tür|Zugangs)code\b)"
    rf"(?(pin)(?:\s?[:=]\s?|\s(?:{_IS}):?\s)|(?:\s\w{{1,12}}){{0,4}}?(?:\s?[:=]\s?|\s(?:{_IS}):?\s|\s))"
    r"[\"'`]?(?P<digits>\d{3,8})(?![\w]|[.,:/-]\d)",
    re.IGNORECASE,
)
#: A passphrase of words, and the words that bring back a wallet.
_PHRASE = re.compile(
    r"(?:passphrase|pass phrase|(?:seed|recovery|backup|secret)[ -]?(?:phrase|words)|mnemonic\w{0,3}|seed)\b"
    rf"(?:\s\w{{1,12}}){{0,3}}?\s?(?:[:=]|\s(?:{_IS}))\s{{0,3}}[\"'`]?"
    r"(?P<words>[^\W\d_]{2,12}(?:[ -][^\W\d_]{2,12}){2,23})(?![\w'])",
    re.IGNORECASE,
)
#: At a line's beginning, or after a colon or a quote: from each word of a text would be too slow.
_WALLET_WORDS = re.compile(r"(?m)(?:^|(?<=[:\"])|(?<=: ))[a-z]{3,8}(?:[ ,]{1,2}[a-z]{3,8}){11,23}(?![\w'-])")
_HEX_KEY = re.compile(r"\b(?:0x)?[0-9a-fA-F]{64}\b")
_OF_A_KEY = re.compile(r"key|private|wallet|secret|seed|schlüssel|nøkkel|clave|clé|ключ", re.IGNORECASE)
#: Words that sentences are made of, and phrases of secret words are not.
_SMALL_WORDS = (
    "a an the of to and or not is are was it its that this these those you your my we our they their in on at for from "
    "with by as be been have has had will would can could should must may do does did so but if when where what which "
    "who how there here no yes more than very just only all any some one two into out up down over about after before "
    "then also because while"
)
_PROSE = frozenset(_SMALL_WORDS.split())
#: What stands for a password where there is none.
_NO_VALUE = "required optional hidden none null true false forgotten changed unknown missing empty wrong"
_NONE = frozenset(_NO_VALUE.split())
_COMMAND = re.compile(
    r"\b(?:curl|wget|https?|httpie|xh)(?=\s)[^\n]{0,200}?\s(?:-u|-U|--user|--proxy-user|-a|--auth)[ =]?[\"'`]?"
    r"(?P<pair>[^\s\"'`:$]{1,64}:(?!//)[^\s\"'`]{2,200})|\bsshpass\s+-p\s?[\"'`]?(?P<ssh>[^\s\"'`]{3,})"
    r"|\bmysql(?:dump)?(?=\s)[^\n]{0,100}?\s-p(?P<sql>[^\s\"'`]{3,})|\bWIFI:[^\n]{0,100}?[;:]P:(?P<wifi>[^;\s]{4,})"
)
#: Without any of these the pattern beside it cannot match: it is too slow to be tried on everything.
_PHRASE_NEEDS = ("phrase", "seed", "words", "mnemonic")
_CODE_NEEDS = ("code", "kod", "pin", "puk", "cv", "código", "codigo", "codice", "пин", "number", "nummer")
_ASSIGNED_NEEDS = (
    *("pass", "pwd", "kennwort", "losung", "contrase", "clave", "mdp", "senha", "wachtwoord", "senord", "kode", "hasł"),
    *("hasel", "парол", "parola", "palabra", "palavra", "secret", "token", "credential", "key", "code", "bitlocker"),
    *("bearer", "basic "),
)


def keys_in(text: str) -> list[Span]:
    """Return where keys, tokens and passwords stand in a text, in order, none within another."""
    found: list[Span] = []
    if "-----BEGIN" in text:
        _add(found, (m.span() for m in _PRIVATE_KEY.finditer(text)))
    for run in _LONG_RUN.finditer(text):
        _add(found, (m.span() for m in _FORM.finditer(text, *run.span())))
    _add(found, (m.span(m.lastgroup or 0) for m in _COMMAND.finditer(text)) if "-" in text or "WIFI:" in text else ())
    lower = text.lower()
    if any(word in lower for word in _PHRASE_NEEDS):
        _add(found, (m.span("words") for m in _PHRASE.finditer(text) if _is_phrase(m)))
    if any(word in lower for word in _CODE_NEEDS):
        _add(found, (m.span("digits") for m in _CODE.finditer(text)))
    if any(word in lower for word in _ASSIGNED_NEEDS):
        assigned = filter(_is_secret, _ASSIGNED.finditer(text))
        _add(found, (m.span("credential" if m["scheme"] else "value") for m in assigned))
    near = ((m, max(m.start() - 60, 0)) for m in _HEX_KEY.finditer(text))
    _add(found, (m.span() for m, start in near if _OF_A_KEY.search(text, start, m.start())))
    _add(found, (m.span() for m in _WALLET_WORDS.finditer(text) if _is_wallet(m)))
    return sorted(found)


def _add(found: list[Span], spans: Iterator[Span] | tuple[()]) -> None:
    """Take in what does not overlap what was found before."""
    found += [(start, end) for start, end in spans if all(end <= s or start >= e for s, e in found)]


def _is_secret(match: re.Match[str]) -> bool:
    """Tell a value from prose: `password: hunter2`, `password: swordfish` at a line's end; not `the secret: try`."""
    if match["scheme"]:
        return True
    value = match["value"].rstrip(".!?:")
    name = match["name"].lower()
    is_password = re.match(_LOGIN_WORDS, name) is not None
    if len(value) < 4 or value.startswith(("http://", "https://")) or value.lower() in _NONE:
        return False
    if match["of"] and not is_password:
        return False
    if any(c.isdigit() for c in value):
        return True
    if match["is"] is not None or match["dash"] is not None:
        odd = bool(match["isquote"]) or not value.isalpha() or value[1:] not in (value[1:].lower(), value[1:].upper())
        return is_password and (
            (odd and "'" not in value and "-" not in value) or bool(_READS.search(match["is"] or ""))
        )
    ends_line = match.string[match.end() : match.end() + 1] in ("", "\n")
    return bool(match["quote"]) or (is_password and ends_line) or (not value.isalpha() and len(value) >= 8)


def _is_phrase(match: re.Match[str]) -> bool:
    words = re.split(r"[ -]", match["words"].lower())
    return not _PROSE.intersection(words)


def _is_wallet(match: re.Match[str]) -> bool:
    """Whether words may be the twelve to twenty-four that bring back a wallet (BIP 39); a sentence has small words."""
    words = re.split(r"[ ,]+", match.group())
    alone = match.string[max(match.start() - 1, 0) : match.start()] in ("", "\n", ":", " ", '"')
    return alone and len(words) in (12, 15, 18, 21, 24) and not _PROSE.intersection(words) and len(set(words)) > 8
