"""Markdown journals, as Obsidian and others keep them: a note for each day, dated by front matter or file name.

A paragraph is what is imported once: of a note that has grown, the new paragraphs.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, tzinfo

from idiolect.memories.importers.export import Export, Member
from idiolect.memories.importers.message import Asked, Kind, Message, Person, Thread, Unreadable
from idiolect.memories.importers.times import from_iso

_FILES = r"[^.].*\.(?:md|markdown)"
_ME = Person("me", "", me=True)
_DATED = re.compile(r"(\d{4})[-_.]?(\d\d)[-_.]?(\d\d)")
_DATE_KEYS = ("date", "datetime", "created", "created_at", "creation_date", "day")
#: What is taken out, and a sign without which it is not there: looking for that takes a fraction of the time.
_TAKEN_OUT = (
    (
        "```",
        re.compile(r"^```(?:dataview|dataviewjs|tasks|query|button|mermaid)\b.*?(?:^```|\Z)", re.DOTALL | re.MULTILINE),
    ),
    ("%%", re.compile(r"%%.*?(?:%%|\Z)", re.DOTALL)),
    ("<!--", re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)),
    ("![", re.compile(r"!\[\[[^\]\n]{0,200}\]\]|!\[[^\]\n]{0,200}\]\([^)\n]{0,2000}\)")),
    ("^", re.compile(r"[^\S\n]\^[\w-]+$", re.MULTILINE)),
    ("::", re.compile(r"^[\w -]{1,40}::.*$", re.MULTILINE)),
)
# Bounded, lest a note of opening brackets alone take the square of its length.
_WIKI = re.compile(r"\[\[(?:[^\]|\n]{0,200}\|)?([^\]|\n]{0,200})\]\]")
_LINK = re.compile(r"\[([^\]\n]{0,200})\]\((?:https?|mailto|obsidian|file)[^)\n]{0,2000}\)")
_HEADING = re.compile(r"^#{1,6}\s+", re.MULTILINE)
_RULE = re.compile(r"^\s*(?:[-*_]\s*){3,}$", re.MULTILINE)
_PARAGRAPHS = re.compile(r"\n\s*\n")


def found(export: Export) -> bool:
    return any(_when_of(m, _front_matter(_head(export, m))[0]) is not None for m in export.matching(_FILES)[:200])


def _head(export: Export, member: Member) -> str:
    return export.head(member).decode("utf-8-sig", "replace")


def read(export: Export, asked: Asked) -> Iterator[Message | Unreadable]:
    for member in export.matching(_FILES):
        if any(part.startswith(".") for part in member.name.split("/")):
            continue  # .obsidian, .trash
        try:
            text = export.whole(member).decode("utf-8-sig", "replace").replace("\r\n", "\n")
        except ValueError as fault:
            yield Unreadable(member.name, str(fault))
            continue
        matter, body = _front_matter(text)
        when = _when_of(member, matter, asked.zone)
        yield from paragraphs(Thread(member.name, member.stem, "journal", tags=_tags(matter)), when, plain(body))


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
    for sign, pattern in _TAKEN_OUT:
        if sign in text:
            text = pattern.sub("", text)
    if "](" in text or "]]" in text:
        text = _LINK.sub(r"\1", _WIKI.sub(r"\1", text))
    if sum(map(text.count, "-*_")) >= 3:
        text = _RULE.sub("", text)
    return (_HEADING.sub("", text) if "#" in text else text).strip()


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
            key = name.strip().casefold()
            matter[key] = value.strip().strip("'\"")
        elif key and line.lstrip().startswith("- "):
            matter[key] = f"{matter[key]},{line.lstrip()[2:].strip()}"
    return {}, text


def _when_of(member: Member, matter: dict[str, str], zone: tzinfo | None = UTC) -> float | None:
    """Return the date of a note, by its front matter or its name; at noon, if no time of day is stated."""
    for key in _DATE_KEYS:
        if value := matter.get(key):
            value = value.strip("[]\"' ").replace("/", "-")
            value = f"{value}T12:00" if re.fullmatch(r"\d{4}-\d\d-\d\d", value) else value
            when = from_iso(value, zone)
            if when is not None:
                return when
    dated = _DATED.search(member.stem)
    text = f"{dated[1]}-{dated[2]}-{dated[3]}T12:00" if dated else ""
    return from_iso(text, zone)


def _tags(matter: dict[str, str]) -> tuple[str, ...]:
    words = re.split(r"[,\s]+", matter.get("tags", "").strip("[]"))
    return tuple(w.strip("#'\"") for w in words if w.strip("#'\""))
