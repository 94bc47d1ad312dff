"""Gemini: what Google Takeout has of it under My Activity, as JSON or HTML, in the language of the account.

A record is what was asked, below a word of the page for that (Prompted), when, and the answer in HTML. Nothing says
which records are one conversation, save perhaps a link; a silence of half an hour ends one. The form is as several
readers of real exports describe it and have it in their tests; there is no official description.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC
from html import unescape
from typing import Any, NamedTuple

import msgspec

from idiolect.memories.importers.dates import Dates, instant, taken_apart, undecided
from idiolect.memories.importers.export import Export, Member
from idiolect.memories.importers.json_stream import records
from idiolect.memories.importers.mail_text import text_of_html
from idiolect.memories.importers.message import Asked, Message, Person, Thread, Unreadable
from idiolect.memories.importers.naming import Naming

_FILES = r".*\.(?:json|html?)"
_ME = Person("user", "", me=True)
_MACHINE = Person("assistant", "Gemini", me=False)
_NAMES = ("gemini", "bard")
#: Seconds of silence between two conversations.
_PAUSE = 1800
_OPENED = '<div class="outer-cell'
_HEADER = re.compile(r'class="header-cell[^"]*"[^>]*>(.{0,500}?)</div>', re.DOTALL)
_CONTENT = re.compile(
    r'class="content-cell[^"]*body-1"[^>]*>(.*?)</div>\s*(?:<div class="content-cell|</div>|\Z)', re.DOTALL
)
_BREAK = re.compile(r"<br\s*/?>")
_LINK = re.compile(r"gemini\.google\.com/app/([\w-]{6,40})")
_ATTACHED = re.compile(r"\s*Attached \d+ files?\.?(?:\s*-.*)?\s*\Z", re.DOTALL)
#: What stands before a prompt where that is known; in other languages it is what most titles begin with.
_SAID = (
    "Prompted with:", "Asked Gemini:", "Asked Bard:", "Prompted", "Asked", "Said", "Branched", "Answered",
    "Gav instruktionen",
)  # fmt: skip
#: With fewer, what titles have in common may be the person's.
_ENOUGH = 5
_MOST = 0.6
_LONGEST_BEGINNING = 40


class _Item(msgspec.Struct, gc=False):
    html: Any = None


class _Record(msgspec.Struct, gc=False):
    header: Any = None
    title: Any = None
    title_url: Any = msgspec.field(name="titleUrl", default=None)
    time: Any = None
    products: Any = None
    answers: Any = msgspec.field(name="safeHtmlItem", default=None)


class _Asked(NamedTuple):
    """What was asked once."""

    title: str
    time: str
    answer: str
    link: str


def found(export: Export) -> bool:
    return bool(_members(export))


def _members(export: Export) -> list[Member]:
    return [m for m in export.matching(_FILES) if _is_activity(export, m)]


def _is_activity(export: Export, member: Member) -> bool:
    head = export.head(member)
    if member.name.lower().endswith(".json"):
        return (
            head.lstrip().startswith(b"[")
            and all(sign in head for sign in (b'"header"', b'"title"', b'"time"'))
            and (any(name in head.lower() for name in (b"gemini", b"bard")))
        )
    return (b"outer-cell" in head or b"mdl-" in head) and export.holds(member, _OPENED.encode(), b"Gemini")


def read(export: Export, asked: Asked) -> Iterator[Message | Unreadable]:
    """Yield what was asked and answered, oldest first. Raises ExportFault if the dates of a page could be two."""
    for member in _members(export):
        all_asked: list[_Asked] = []
        for one in _page(export, member) if not member.name.lower().endswith(".json") else _list(member):
            if isinstance(one, Unreadable):
                yield one
            else:
                all_asked.append(one)
        yield from _messages(member, all_asked, asked)


def _list(member: Member) -> Iterator[_Asked | Unreadable]:
    with member.open() as file:
        for batch in records(file, member.name, _Record):
            if isinstance(batch, Unreadable):
                yield batch
                continue
            for record in batch.records:
                products = record.products if isinstance(record.products, list) else []
                if not _is_geminis(str(record.header), *map(str, products)):
                    continue
                answers = record.answers if isinstance(record.answers, list) else []
                html = [a["html"] for a in answers if isinstance(a, dict) and isinstance(a.get("html"), str)]
                link = _LINK.search(record.title_url) if isinstance(record.title_url, str) else None
                title = record.title if isinstance(record.title, str) else ""
                yield _Asked(title, str(record.time or ""), text_of_html("\n".join(html)), link[1] if link else "")


def _is_geminis(*names: str) -> bool:
    return any(ours in name.casefold() for name in names for ours in _NAMES)


def _page(export: Export, member: Member) -> Iterator[_Asked | Unreadable]:
    try:
        page = export.whole(member).decode("utf-8", "replace")
    except ValueError as fault:
        yield Unreadable(member.name, f"{fault}; in Takeout choose JSON instead of HTML")
        return
    for cell in page.split(_OPENED)[1:]:
        header, content = _HEADER.search(cell), _CONTENT.search(cell)
        if not (header and content and _is_geminis(header[1])):
            continue
        lines = _BREAK.split(content[1])
        at = next((n for n, line in enumerate(lines) if n and _is_date(line)), len(lines))
        title = "\n".join(unescape(line).strip("\n\r\t ") for line in lines[:at])
        link = _LINK.search(cell)
        answer = text_of_html("<br>".join(lines[at + 1 :]))
        yield _Asked(title, unescape(lines[at]).strip() if at < len(lines) else "", answer, link[1] if link else "")


def _is_date(line: str) -> bool:
    written = taken_apart(unescape(line).strip()) if "<" not in line else None
    return bool(written and written.clock)


def _messages(member: Member, all_asked: list[_Asked], asked: Asked) -> Iterator[Message]:
    dates = Dates((a.time for a in all_asked if instant(a.time, UTC) is None), day_first=asked.day_first)
    if open_date := dates.undecided():
        raise undecided(member.name, open_date)
    begins = _beginning([a.title for a in all_asked if a.answer])
    timed = [(instant(a.time, UTC) or dates.read(a.time, asked.zone), a) for a in all_asked]
    # They come newest first; those without a date stay where they are.
    timed.reverse()
    names = Naming()
    for conversation in _conversations(sorted(timed, key=lambda t: t[0] or 0.0)):
        # All that have no link are named as one, whatever an export begins with, so that nothing is imported twice;
        # each is an object of its own, by which what follows tells conversations apart.
        thread = Thread(conversation[0][1].link or "gemini", type="request")
        for when, one in conversation:
            name = names.name(one.time, "user", one.title)
            words = _prompt(one, begins)
            if words is None:
                yield Message(thread, name, when, _ME, "", "system")
                continue
            yield Message(thread, name, when, _ME, words, "said" if words else "empty")
            if one.answer:
                yield Message(thread, f"{name} answer", when, _MACHINE, one.answer)


def _conversations(timed: list[tuple[float | None, _Asked]]) -> list[list[tuple[float | None, _Asked]]]:
    """Sort records into conversations: by their links, and those without by silence."""
    linked: dict[str, list[tuple[float | None, _Asked]]] = {}
    found: list[list[tuple[float | None, _Asked]]] = []
    last: float | None = None
    current: list[tuple[float | None, _Asked]] = []
    for when, one in timed:
        if one.link:
            if one.link not in linked:
                found.append(linked.setdefault(one.link, []))
            linked[one.link].append((when, one))
            continue
        if last is None or when is None or when - last > _PAUSE:
            current = []
            found.append(current)
        last = when if when is not None else last
        current.append((when, one))
    return found


def _beginning(titles: list[str]) -> tuple[str, ...]:
    """Return how the page begins what was asked; nothing if that cannot be told."""
    if any(title.startswith(_SAID) for title in titles):
        return _SAID
    counted: Counter[str] = Counter()
    for title in titles:
        words = title.split()[:5]
        counted.update(" ".join(words[:n]) for n in range(1, len(words) + 1))
    common = [words for words, count in counted.items() if count >= _MOST * len(titles)]
    return (max(common, key=len),) if common and len(titles) >= _ENOUGH else ()


def _prompt(one: _Asked, begins: tuple[str, ...]) -> str | None:
    """Return what was asked; None for something else that was done, or that the program wrote."""
    # The page sets a space that does not break between its own words and the person's.
    before, apart, behind = one.title.partition("\u00a0")
    title = one.title.replace("\u00a0", " ").strip()
    said = next((said for said in begins if title.startswith(said)), "")
    if said:
        words = title[len(said) :]
    elif begins or not one.answer:
        return None
    else:
        words = behind if apart and len(before) < _LONGEST_BEGINNING else title
    return _ATTACHED.sub("", words).strip()
