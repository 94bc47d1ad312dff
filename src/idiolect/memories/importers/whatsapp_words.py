"""What WhatsApp itself writes in somebody's name: told by structure, then by its wordings in fifty languages.

iOS puts U+200E before what it writes; Android puts most in <> or (); a file repeats the same ending at many messages.
The wordings, whatsapp_words.toml, are for what bears none of these signs.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from dataclasses import dataclass, field
from functools import cache
from importlib import resources

from idiolect.memories.importers.message import Kind

HIDDEN = re.compile("[\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\u061c]")
#: What ends a message of which the program says something, as <This message was edited>.
ENDING = re.compile(r"\S[\s\u200e]+(<[^<>\n]{3,60}>)$")
_ANGLE = re.compile(r"<[^<>\n]{3,80}>")
_PLACEHOLDER = re.compile(r"\u200e?(<[^<>\n]{3,60}>)\n(?=\s*\S)")
_FILE = re.compile(r"(?P<mark>\u200e)?(?P<name>\S[^\n]*\.\w{2,5}) \((?P<said>[^()\n]{3,40})\)(?:\n|$)")
_ATTACHED = re.compile(r"<[^<>\n:]{2,30}: ?[^<>\n]+>\s*$")
_CAMERA = re.compile(r"(?:IMG|VID|AUD|PTT|STK|DOC)-\d{8}-WA\d+\.\w+")
_LOCATION = re.compile(r"[^\n]*https://(?:maps\.google\.com/\?q=|foursquare\.com/)\S+")
_POLL = re.compile(r"\u200e?(\S{2,20}):\n(.+?)(?:\n\u200e?\S{2,20}: [^\n]* \(\u200e?\d+ [^()\n]+\))+", re.DOTALL)
_PAGES = re.compile(r"\s*•\s*\u200e?[^\n]{1,30}$")
#: What a group's program lines say that have a name before them, by what is done; old iOS has no mark for them.
_DEEDS = re.compile(
    r"creat|chang|add|remov|left|join|erstell|geändert|hinzugefügt|entfernt|verlassen|beigetreten|cre[óo]|cambi|añadi"
    r"|elimin|sali[óo]|créé|modifi|ajout|retir|quitté|rejoint|aggiunt|rimoss|uscit|adicion|remov|saiu|alter|mud[oó]u"
    r"|gewijzigd|toegevoegd|verwijderd|aangemaakt|oluştur|değiştir|ekledi|çıkar|ayrıl|создал|изменил|добавил|удалил"
    r"|вышел|вышла|utworzył|zmienił|dodał|usunął|usunęła|opuścił|skapade|ändrade|opprettet|endret|luonut|membuat"
    r"|mengubah|menambahkan|keluar|创建|更改|添加|退出|建立|變更|作成|変更|追加|退出|만들|변경|추가|나갔|أنشأ|غيّ?ر|أضاف|غادر",
    re.IGNORECASE,
)
_VOWELS = re.compile("[\u064b-\u0652]")
#: No wording is longer.
_LONGEST = 90
_QUOTES = '"“”„«»‘「『'


@dataclass
class Habits:
    """What a file shows of how its telephone writes."""

    endings: set[str] = field(default_factory=set)
    """Each <…> at the end of several messages."""
    attached: set[str] = field(default_factory=set)
    """Each (…) after several names of files."""
    ios: bool = False
    marked: bool = False
    """Whether the program marks what it writes itself."""


def judged(name: str, text: str, habits: Habits) -> tuple[str, Kind]:
    """Return what of a message somebody wrote, and of what kind it is."""
    if "\n" in text and (poll := _POLL.fullmatch(text.rstrip())):
        return _shown(poll[2]), "said"
    if habits.ios and text.startswith("\u200e"):
        return _of_program(text, habits)
    if ">" in text:
        text = _without_ending(_without_placeholder(text, habits), habits)
    if habits.ios and "\u200e" in text:
        text = _without_tail(text, habits)
    found = _FILE.match(text) if ")" in text else None
    if found and _is_file(found, habits):
        rest = _shown(text[found.end() :])
        return (rest, "said") if rest else (_shown(text), "media")
    plain = _shown(text)
    return plain, _kind(name, plain, habits)


def _of_program(text: str, habits: Habits) -> tuple[str, Kind]:
    """Judge what begins with the program's mark."""
    plain = _shown(text)
    found = _FILE.match(text)
    if found and _is_file(found, habits):
        rest = _shown(text[found.end() :])
        return (rest, "said") if rest else (plain, "media")
    if attached := _ATTACHED.match(plain):
        return (rest, "said") if (rest := plain[attached.end() :].strip()) else (plain, "media")
    if _ANGLE.fullmatch(plain) or _is_worded(plain, "omitted"):
        return plain, "media"
    return plain, "deleted" if _is_worded(plain, "deleted") else "system"


def _kind(name: str, plain: str, habits: Habits) -> Kind:
    if not plain or plain == "null":
        return "empty"
    wordings = _wordings().get(_worded(plain), ()) if len(plain) <= _LONGEST else ()
    if "deleted" in wordings:
        return "deleted"
    if "omitted" in wordings or _ANGLE.fullmatch(plain) or ("https://" in plain and _LOCATION.fullmatch(plain)):
        return "media"
    if "waiting" in wordings or "shared" in wordings:
        return "system"
    if habits.ios and not habits.marked and plain.startswith(f"{name} "):
        rest = plain[len(name) :]
        if "\n" not in rest and (_DEEDS.search(rest) or any(q in rest for q in _QUOTES)):
            return "system"
    return "said"


def _without_placeholder(text: str, habits: Habits) -> str:
    """Return of a caption, below what stands for its picture, the caption."""
    found = _PLACEHOLDER.match(text)
    return text[found.end() :] if found and (" " in found[1] or found[1] in habits.endings) else text


def _without_ending(text: str, habits: Habits) -> str:
    """Take off a last <…> that says that the message was edited, or that several messages end with."""
    found = ENDING.search(text)
    if not found:
        return text
    marker = found[1]
    known = marker in habits.endings or text[found.start(1) - 1] == "\u200e"
    return text[: found.start(1)].rstrip(" \u200e\n") if known or _is_edited(marker) else text


def _without_tail(text: str, habits: Habits) -> str:
    """Take off what iOS writes after the person's words: <attached: …>, image omitted, pages of a document."""
    text = _ATTACHED.sub("", text)
    head, mark, tail = text.rpartition("\u200e")
    if mark and head.strip() and "\n" not in tail.strip():
        plain = _shown(tail)
        if not plain or _is_worded(plain, "omitted") or f"\u200e{plain}" in habits.endings:
            text = head
    # The name of a document, and how long it is.
    cut = _PAGES.sub("", text)
    return "" if cut != text and re.search(r"\.\w{2,5}$", _shown(cut)) else text


def _is_file(found: re.Match[str], habits: Habits) -> bool:
    """Tell whether a name and a bracket are a file and what the program says of it, and not somebody's words."""
    said = found["said"]
    return (
        said in habits.attached
        or _is_worded(said, "attached")
        or found["mark"] is not None
        or _CAMERA.fullmatch(found["name"]) is not None
    )


def file_said(text: str) -> str | None:
    """Return what stands in brackets after the name of a file, where nothing else stands before it."""
    found = _FILE.match(text)
    return found["said"] if found and (found["mark"] or " " not in found["name"]) else None


def _is_edited(marker: str) -> bool:
    return any(stem in marker.casefold() for stem in _words()["edited"])


def _is_worded(plain: str, what: str) -> bool:
    return len(plain) <= _LONGEST and what in _wordings().get(_worded(plain), ())


def _worded(text: str) -> str:
    """Return a text as wordings are compared: small letters, no vowel signs of Arabic, no last dot."""
    if not text.isascii():
        plain = unicodedata.normalize("NFKC", text.replace("’", "'").replace("‘", "'"))
        text = _VOWELS.sub("", plain)
    return " ".join(text.casefold().split()).rstrip(" .。…।")


@cache
def _words() -> dict[str, frozenset[str]]:
    whole = tomllib.loads(resources.files(__package__).joinpath("whatsapp_words.toml").read_text(encoding="utf-8"))
    return {
        kind: frozenset(_worded(w) for words in whole.values() for w in words.get(kind, "").split("|") if w)
        for kind in ("deleted", "omitted", "attached", "edited", "waiting", "shared")
    }


@cache
def _wordings() -> dict[str, set[str]]:
    """Return of each wording what it is."""
    found: dict[str, set[str]] = {}
    for kind, wordings in _words().items():
        for wording in wordings:
            found.setdefault(wording, set()).add(kind)
    return found


def _shown(text: str) -> str:
    return (text if text.isascii() else HIDDEN.sub("", text)).strip()
