"""WhatsApp: the text file of one chat, as a telephone in any country writes it.

A line without a head goes on with the message before. There is no time zone, no id, and no sign of a forwarded
message. What a line's head is, `whatsapp_lines` says; what the program wrote, `whatsapp_words`.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta

from idiolect.errors import ExportFault
from idiolect.memories.importers.export import Export, Member
from idiolect.memories.importers.identity import folded
from idiolect.memories.importers.message import Asked, Kind, Message, Person, Remark, Thread
from idiolect.memories.importers.times import from_clock
from idiolect.memories.importers.whatsapp_file import SAID, File, looked_through, shown_name, text_lines
from idiolect.memories.importers.whatsapp_lines import Form, Head, head_of
from idiolect.memories.importers.whatsapp_pasted import leave_pasted
from idiolect.memories.importers.whatsapp_words import HIDDEN, judged

PASTED = "taken for pasted text, and joined to the message above"
UNLIKE = "like the head of a message, but in another form than this file's: joined to the message above"
_CLOSE = re.compile(r"([^:\n]{1,100}?):(.*)", re.DOTALL)
_TITLE = re.compile(
    r".*?whatsapp(?:[ _-]+(?:chat|czat|чат))?[ _-]+"
    r"(?:(?:with|mit|con|avec|com|med|met|z|s|dengan|с|cu|amb|مع|עם)[ _-]+)?(?:контактом[ _-]+)?",
    re.IGNORECASE,
)
#: Where the name stands before the program's, as in Turkish and Chinese.
_TITLE_BEFORE = re.compile(
    r"(?:[与與]\s*)?(.+?)\s*(?:的|とのチャット|との|님과의|과의|ile|के साथ|-нің|bilan)?[ _-]*whatsapp[ _-]*(?:\S+)?",
    re.IGNORECASE,
)
_PROGRAM_FIRST = re.compile(
    r"(?:chat|discussion|conversation|conversa|conversación|chats?|czat|чат|beszélgetés|konverzace|sohbet|دردشة|محادثة|_)?"
    r"[ _-]*(?:de|do|da|del|di|avec|pe|en|le|la|the|your|o|na|в|w)?[ _-]*",
    re.IGNORECASE,
)
_COPY = re.compile(r"\s*\(\d+\)$")
_HEAD_LINES = 200
_DAY = 86_400


def found(export: Export) -> bool:
    return any(_form(export, m) for m in export.matching(r".*\.txt"))


def read(export: Export, asked: Asked) -> Iterator[Message | Remark]:
    """Yield the messages of each text file. Raises ExportFault if day and month of one cannot be told apart."""
    for member in export.matching(r".*\.txt"):
        form = _form(export, member)
        if form is None:
            continue
        mine = {folded(name) for name in asked.me}
        file = looked_through(member, form, mine, asked.day_first)
        if file is None:
            raise ExportFault(
                f"{member.name}: no date in it tells whether the day or the month comes first.",
                "Say which, with --day-first or --month-first.",
            )
        if file.runs_back:
            leave_pasted(file)
        yield from _messages(file, _thread(export, file, mine), asked)


def _heads(member: Member) -> Iterator[Head]:
    return filter(None, map(head_of, text_lines(member)))


def _form(export: Export, member: Member) -> Form | None:
    """Return the form of the first head with a writer, or None where there is none: not WhatsApp's file.

    Only where the beginning has heads, but of the program alone, is more read: a large group's file begins with
    hundreds of people who joined.
    """
    lines = export.head(member).decode("utf-8-sig", "replace").splitlines()[:_HEAD_LINES]
    heads = [head for head in map(head_of, lines[:-1] if len(lines) > 1 else lines) if head]
    if not heads:
        return None
    written = next((h for h in heads if SAID.match(h.rest) or _CLOSE.match(h.rest)), None)
    if written is None:
        written = next((h for h in _heads(member) if h.form == heads[0].form and SAID.match(h.rest)), None)
    return written.form if written else None


def _thread(export: Export, file: File, mine: set[str]) -> Thread:
    """Name the chat: as its file is called, or, if that has been renamed, by the other's name where there is one."""
    writers = [file.longer.get(name, name) for name, count in file.writers.items() if count]
    others = [name for name in writers if folded(name) not in mine]
    stem = file.member.stem[:200]
    if stem.strip("_").lower() in ("chat", ""):
        stem = file.member.folder.rpartition("/")[2].removesuffix(".zip") or export.path.stem
    title = _titled(_COPY.sub("", stem))
    if not title or title == stem:
        # Renamed groups share one name: their messages are told apart by time, writer and text.
        title = others[0] if len(others) == 1 and len(writers) == 2 else ""
    return Thread(title, title, group=len(others) > 1 and len(writers) > 2)


def _titled(stem: str) -> str:
    """Return the name in the name of a file, which the language puts before or after the program's."""
    before, _, after = stem.lower().partition("whatsapp")
    if after and not _PROGRAM_FIRST.fullmatch(before) and len(after.split()) <= 1:
        found = _TITLE_BEFORE.fullmatch(stem)
        return found[1].strip("「」\"' ") if found else stem
    return _TITLE.sub("", stem, count=1).strip()


def _messages(file: File, thread: Thread, asked: Asked) -> Iterator[Message | Remark]:
    people: dict[str, Person] = {}
    same: Counter[tuple[str, str]] = Counter()
    last: int | None = None
    for found in _gathered(file, thread):
        if isinstance(found, Remark):
            yield found
            continue
        moment, lines = found
        if moment != last:
            same.clear()
            last = moment
            clock = datetime.fromordinal(moment // _DAY) + timedelta(seconds=moment % _DAY)
            stamp, when = f"{clock:%Y%m%d%H%M%S}", from_clock(clock, asked.zone)
        name, text, kind = _parsed("\n".join(lines), file)
        if (who := people.get(name)) is None:
            who = people[name] = Person(name, name) if name else Person("", "", me=False)
        same[name, text] += 1
        yield Message(thread, _identity(stamp, name, text, same[name, text]), when, who, text, kind)


def _gathered(file: File, thread: Thread) -> Iterator[tuple[int, list[str]] | Remark]:
    """Yield the moment and the lines of each message; what follows a head that is no message's is marked as quoted."""
    now: int | None = None
    lines: list[str] = []
    quote = ""
    number = 0
    for text, head, moment in file.lines():
        number += moment is not None
        if head and moment is not None and number not in file.pasted:
            if now is not None:
                yield now, lines
            now, lines, quote = moment, [head.rest], ""
        elif now is not None:
            if head:
                quote = "> "
                rule = UNLIKE if moment is None else PASTED
                yield Remark(thread.key, _identity(str(now), "", text, number), rule, HIDDEN.sub("", text))
            lines.append(quote + text)
    if now is not None:
        yield now, lines


def _parsed(rest: str, file: File) -> tuple[str, str, Kind]:
    """Return who wrote, what, and of what kind it is."""
    said = SAID.match(rest)
    name = shown_name(said[1]) if said else ""
    if said and name in file.programs:
        said = None
    elif not said and (close := _CLOSE.match(rest)) and shown_name(close[1]) in file.writers:
        said, name = close, shown_name(close[1])
    if not said:
        return "", HIDDEN.sub("", rest).strip(), "system"
    text = said[2] or ""
    if name in file.longer:
        name, text = file.longer[name], text.partition(":")[2].removeprefix(" ")
    return name, *judged(name, text, file.habits)


def _identity(stamp: str, name: str, text: str, number: int) -> str:
    """Name a message by what every export of the chat says of it."""
    whole = f"{stamp}\0{name}\0{text}\0{number}".encode("utf-8", "replace")
    return hashlib.blake2b(whole, digest_size=8).hexdigest()
