"""Markdown journals, as Obsidian and others keep them: a note for each day, dated by front matter or file name.

A paragraph is what is imported once: of a note that has grown, the new paragraphs.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, tzinfo

from idiolect.memories.importers.dates import Dates, instant, is_month, taken_apart, undecided
from idiolect.memories.importers.export import Export, Member
from idiolect.memories.importers.message import Asked, Kind, Message, Person, Thread, Unreadable

_FILES = r"[^.].*\.(?:md|markdown)"
_ME = Person("me", "", me=True)
#: How many notes are looked at to see whether any has a date.
_LOOKED_AT = 200
_ISO_NAME = re.compile(r"(\d{4})[-_.]?(\d\d)[-_.]?(\d\d)")
#: Dates within a file's name, in numbers or with the month in words (which is looked up).
_NAMES = (
    re.compile(r"(?<!\d)\d{4}([-_. ])\d{1,2}\1\d{1,2}(?!\d)"),
    re.compile(r"(?<!\d)\d{1,2}([-_. ])\d{1,2}\1\d{4}(?!\d)"),
    re.compile(r"(?<!\d)\d{4}\s?[年년]\s?\d{1,2}\s?[月월]\s?\d{1,2}"),
)
_NAMED = (
    re.compile(
        r"(?<!\d)\d{1,2}(?:st|nd|rd|th|er|\.|º|ª)?[\s,_-]+(?:de |of |d')?"
        r"([^\W\d_]\S{1,14}?)\.?[\s,_-]+(?:de |of )?\d{4}(?!\d)"
    ),
    re.compile(r"(?<!\w)([^\W\d_]\S{1,14}?)\.?[\s_-]+\d{1,2}(?:st|nd|rd|th|\.)?[\s,_-]+\d{4}(?!\d)"),
    re.compile(r"(?<!\d)\d{4}\.?[\s,_-]+([^\W\d_]\S{1,14}?)\.?[\s_-]+\d{1,2}(?!\d)"),
)
#: Folders for years and months, which may say more (06-June), with a note for each day.
_FOLDERS = re.compile(
    r"(?:.*/)?(\d{4})/(?:\d{4}[-_. ])?(\d{1,2})(?!\d)[^/]*/(?:\d{4}[-_. ]\d{1,2}[-_. ])?(\d{1,2})(?!\d)[^/]*"
)
_NAMED_FOLDERS = re.compile(r"(?:.*/)?(\d{4})/([^\W\d_][^/\d]{1,14})/(\d{1,2})(?!\d)[^/]*")
#: Keys of front matter, without signs between words.
_DATE_KEYS = (
    "date", "datetime", "created", "createdat", "creationdate", "datecreated", "createddate", "createdtime",
    "creationtime", "day", "timestamp", "time", "ctime", "datum", "fecha", "data", "dato", "дата",
    "日付", "日期", "날짜",
)  # fmt: skip
_SIGNS = re.compile(r"[\s_-]+")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_COMMENT = re.compile(r"\s#.*")
#: Of Templater's commands, and of what Obsidian itself fills in.
_TEMPLATE = re.compile(r"<%[^\n]{0,2000}?tp\.[^\n]{0,2000}?%>|\{\{(?:date|time|title)(?::[^}\n]{0,100})?\}\}")
#: What is taken out, by a sign without which it is not there: looking for that takes a fraction of the time.
_TAKEN_OUT = {
    "`": re.compile(
        r"^```(?:dataview|dataviewjs|tasks|query|button|mermaid)\b.*?(?:^```|\Z)", re.DOTALL | re.MULTILINE
    ),
    "#+": re.compile(r"^\s*#\+BEGIN_QUERY.*?(?:#\+END_QUERY|\Z)", re.DOTALL | re.MULTILINE),
    ":LOGBOOK:": re.compile(r"^[ \t]*:LOGBOOK:.*?(?:^[ \t]*:END:[ \t]*$\n?|\Z)", re.DOTALL | re.MULTILINE),
    "%": re.compile(r"%%.*?(?:%%|\Z)", re.DOTALL),
    "<": re.compile(
        r"<!--.*?(?:-->|\Z)|<%[^\n]{0,2000}?%>|(?m:^\s*(?:SCHEDULED|DEADLINE): <2[^>\n]{0,60}>$)", re.DOTALL
    ),
    "{": re.compile(r"\{\{[^{}\n]{0,500}\}\}"),
    "![": re.compile(r"!\[\[[^\]\n]{0,200}\]\]|!\[[^\]\n]{0,200}\]\([^)\n]{0,2000}\)"),
    "^": re.compile(r"[^\S\n]\^[\w-]+$", re.MULTILINE),
    # Fields of Dataview, on their line or within one, and Logseq's properties, below the item that they belong to.
    "::": re.compile(
        r"^[ \t]{0,40}(?:[-*+] )?[\w./ -]{1,40}::(?:[ \t].*)?$\n?"
        r"|[^\S\n]?[\[(][\w -]{1,40}:: ?[^\[\]()\n]{0,200}[\])]",
        re.MULTILINE,
    ),
    "((": re.compile(r"[^\S\n]?\(\([0-9a-f][0-9a-f-]{5,40}\)\)"),
}
_CALLOUT = re.compile(r"^[ \t]{0,3}>[ \t]?\[!([\w-]{1,40})(?:\|[^\]\n]{0,80})?\][+-]?[ \t]*(.*)$", re.MULTILINE)
_DEEPEST = 5
_QUOTING = frozenset({"quote", "cite"})
# Bounded, lest a note of opening brackets alone take the square of its length.
_WIKI = re.compile(r"\[\[(?:[^\]|\n]{0,200}\|)?([^\]|\n]{0,200})\]\]")
_LINK = re.compile(r"\[([^\]\n]{0,200})\]\((?:[a-z][a-z0-9+.-]{1,20}:|\.{0,2}/|#|<)[^)\n]{0,2000}\)", re.IGNORECASE)
_HEADING = re.compile(r"^#{1,6}\s+", re.MULTILINE)
_RULE = re.compile(r"^\s*(?:[-*_]\s*){3,}$", re.MULTILINE)
_PARAGRAPHS = re.compile(r"\n\s*\n")


def found(export: Export) -> bool:
    return any(
        _name_date(m) or _matter_date(_front_matter(_head(export, m))[0]) for m in export.matching(_FILES)[:_LOOKED_AT]
    )


def _head(export: Export, member: Member) -> str:
    return export.head(member).decode("utf-8-sig", "replace")


def read(export: Export, asked: Asked) -> Iterator[Message | Unreadable]:
    """Yield the paragraphs of each note. Raises ExportFault if day and month in their names cannot be told apart."""
    members = [m for m in export.matching(_FILES) if not any(part.startswith(".") for part in m.name.split("/"))]
    dated = {m.name: _name_date(m) for m in members}
    names = _decided(export, (d for d in dated.values() if _is_open(d)), asked)
    matters: Dates | None = None
    for member in members:
        try:
            text = export.whole(member).decode("utf-8-sig", "replace").replace("\r\n", "\n")
        except ValueError as fault:
            yield Unreadable(member.name, str(fault))
            continue
        matter, body = _front_matter(text)
        date = _matter_date(matter)
        if matters is None and _is_open(date):
            # All notes are looked at for the order of such dates, but only in a vault that has one.
            matters = _decided(export, (_matter_date(_front_matter(_head(export, m))[0]) for m in members), asked)
        when = _noon(date, matters, asked.zone)
        when = _noon(dated[member.name], names, asked.zone) if when is None else when
        thread = Thread(member.name, member.stem, "journal", tags=_tags(matter))
        if when is None and ("<%" in text or "{{" in text) and _TEMPLATE.search(text):
            yield Message(thread, "", when, _ME, "", "hidden", rule="a template for notes")
        else:
            yield from paragraphs(thread, when, plain(body))


def _decided(export: Export, texts: Iterable[str], asked: Asked) -> Dates:
    dates = Dates(texts, day_first=asked.day_first)
    if open_date := dates.undecided():
        raise undecided(str(export.path), open_date)
    return dates


def paragraphs(thread: Thread, when: float | None, text: str) -> Iterator[Message]:
    """Yield the paragraphs of an entry as messages of the person; blocks of code stay whole."""
    same: Counter[str] = Counter()
    for paragraph in _whole_blocks(text):
        same[paragraph] += 1
        whole = f"{paragraph}\0{same[paragraph]}".encode("utf-8", "replace")
        identity = hashlib.blake2b(whole, digest_size=8).hexdigest()
        kind: Kind = "said" if any(c.isalpha() for c in paragraph) else "empty"
        yield Message(thread, identity, when, _ME, paragraph, kind)


def _whole_blocks(text: str) -> Iterator[str]:
    waiting: list[str] = []
    for paragraph in _PARAGRAPHS.split(text):
        waiting.append(paragraph)
        together = "\n\n".join(waiting)
        if together.count("```") % 2 == 0:
            if together.strip():
                yield together.strip()
            waiting = []
    if rest := "\n\n".join(waiting).strip():
        yield rest


def plain(text: str) -> str:
    """Return Markdown without what is no prose of the person's: embeds, queries, comments, anchors, links' targets."""
    for sign, pattern in _TAKEN_OUT.items():
        if sign in text:
            text = pattern.sub("", text)
    if "[!" in text:
        text = _without_callouts(text)
    if "](" in text or "]]" in text:
        text = _LINK.sub(r"\1", _WIKI.sub(r"\1", text))
    if sum(map(text.count, "-*_")) >= 3:
        text = _RULE.sub("", text)
    return (_HEADING.sub("", text) if "#" in text else text).strip()


def _without_callouts(text: str) -> str:
    """Return a text with the words of callouts as they are, no longer quoted; those for quotations stay quoted."""
    for _ in range(_DEEPEST):
        if not re.search(_CALLOUT, text):
            break
        text = "\n".join(_unquoted(text.split("\n")))
    return text


def _unquoted(lines: Iterable[str]) -> Iterator[str]:
    """Take one sign off the lines of each callout; one within another has more."""
    inside = False
    for line in lines:
        if begun := _CALLOUT.match(line):
            inside = begun[1].casefold() not in _QUOTING
            yield begun[2] if inside else f"> {begun[2]}".rstrip()
        elif inside and line.lstrip().startswith(">"):
            yield line.lstrip()[1:].removeprefix(" ")
        else:
            inside = False
            yield line


def _front_matter(text: str) -> tuple[dict[str, str], str]:
    """Split a note into its front matter's plain `key: value` lines, and the rest."""
    if not text.startswith("---"):
        return {}, text
    first, _, rest = text.partition("\n")
    if first.strip() != "---":
        return {}, text
    matter: dict[str, str] = {}
    key = ""
    body = rest
    while body:
        line, _, body = body.partition("\n")
        if line.strip() in ("---", "..."):
            return matter, body
        name, colon, value = line.partition(":")
        if colon and name and not name[0].isspace() and name[0] not in "-#":
            key = _SIGNS.sub("", name.strip().casefold())
            matter[key] = value.strip().strip("'\"")
        elif key and line.lstrip().startswith("- "):
            matter[key] = f"{matter[key]},{line.lstrip()[2:].strip()}"
    return {}, text


def _name_date(member: Member) -> str:
    """Return what in a note's name, or in the names of its folders, is a date; "" if nothing is."""
    stem = member.stem
    if found := _ISO_NAME.search(stem):
        return "-".join(found.groups())
    for form in _NAMES:
        if found := form.search(stem):
            return found[0]
    for form in _NAMED:
        if (found := form.search(stem)) and is_month(found[1]):
            return found[0]
    path = f"{member.folder}/{stem}"
    if (found := _FOLDERS.fullmatch(path)) or ((found := _NAMED_FOLDERS.fullmatch(path)) and is_month(found[2])):
        return " ".join(found.groups())
    return ""


def _matter_date(matter: dict[str, str]) -> str:
    """Return the date in a front matter as it is written there; "" if it has none."""
    for key in _DATE_KEYS:
        if key not in matter:
            continue
        value = _COMMENT.sub("", matter[key]).strip("[]\"' ")
        if value and (_at_noon(value) is not None or taken_apart(value)):
            return value
    return ""


def _at_noon(value: str, zone: tzinfo | None = UTC) -> float | None:
    """Read a date that leaves nothing open; one without a time of day at noon."""
    if value.isdecimal() and len(value) < 8:
        return None  # a year, or a number of something
    return instant(f"{value}T12:00" if _DAY.fullmatch(value) else value, zone)


def _is_open(value: str) -> bool:
    return bool(value) and _at_noon(value) is None


def _noon(value: str, dates: Dates | None, zone: tzinfo | None) -> float | None:
    when = _at_noon(value, zone) if value else None
    return dates.read(value, zone, noon=True) if when is None and value and dates else when


def _tags(matter: dict[str, str]) -> tuple[str, ...]:
    words = re.split(r"[,\s]+", matter.get("tags", "").strip("[]"))
    return tuple(w.strip("#'\"") for w in words if w.strip("#'\""))
