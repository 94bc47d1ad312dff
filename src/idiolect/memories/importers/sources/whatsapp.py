"""WhatsApp: the text file of one chat, as a telephone in any country writes it.

    [08.03.24, 13:02:03] Anna: text          iOS, in a zip as _chat.txt
    3/8/24, 1:02 PM - Anna: text             Android, "WhatsApp Chat with Anna.txt"

The order of day and month, separators and 12 or 24 hours follow the telephone; nothing in the file says which. A line
without a header goes on with the message before. What iOS itself writes begins with U+200E. There is no time zone, no
id, and no sign of a forwarded message.
"""

from __future__ import annotations

import hashlib
import io
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from idiolect.errors import ExportFault
from idiolect.memories.importers.export import Export, Member
from idiolect.memories.importers.message import Asked, Kind, Message, Person, Thread
from idiolect.memories.importers.times import from_clock

_HALF = r"[AaPp]\.?\s?[Mm]\.?|午前|午後|上午|下午|오전|오후|ص|م"
_HEADER = re.compile(
    r"[\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]*(\[?)"
    r"(\d{1,4})([./-])\s?(\d{1,2})[./-]\s?(\d{1,4})\.?(?:\s?г\.)?,?\s+"
    rf"(?:(?!{_HALF})\w{{1,3}}\.?\s)?({_HALF})?\s?(\d{{1,2}})[:.](\d\d)(?:[:.](\d\d))?(?:\s?({_HALF}))?"
    r"(?:\s?(?:Uhr|ч\.|h))?"
    r"(?:\]\s|\s[-–—]\s)(.*)",
    re.DOTALL,
)
_AFTERNOON = ("p", "午後", "下午", "오후", "م")
_SAID = re.compile(r"([^:\n]{1,100}?):(?:\s(.*)|$)", re.DOTALL)
_HIDDEN = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]")
_ANGLE = re.compile(r"<[^<>\n]{3,80}>")
_ATTACHED = re.compile(r"\S[^\n]*\.\w{2,5} \([^()\n]+\)(?:\n|$)|<[^<>\n:]{2,30}: [^<>\n]+>(?:\n|$)")
_LOCATION = re.compile(r"[^\n]*https://maps\.google\.com/\?q=\S+")
_EDITED = re.compile(
    r"(?:\u200e<[^<>\n]{4,60}>|<(?:This message was edited|Diese Nachricht wurde bearbeitet|Se editó este mensaje\.?"
    r"|Ce message a été modifié|Questo messaggio è stato modificato|Mensagem editada|Dit bericht is bewerkt"
    r"|Denne meldingen ble redigert)>)$"
)
_DELETED = re.compile(
    r"(?:this message was deleted|you deleted this message"
    r"|diese nachricht wurde gelöscht|du hast diese nachricht gelöscht"
    r"|se eliminó este mensaje|eliminaste este mensaje|ce message a été supprimé|vous avez supprimé ce message"
    r"|questo messaggio è stato eliminato|hai eliminato questo messaggio|(?:essa |esta )?mensagem (?:foi )?apagada"
    r"|(?:você apagou|apagou) esta mensagem|dit bericht is verwijderd|je hebt dit bericht verwijderd"
    r"|denne meldingen ble slettet|du slettet denne meldingen|(?:данное )?сообщение удалено"
    r"|вы удалили данное сообщение|bu mesaj silindi|ta wiadomość została usunięta)\.?",
    re.IGNORECASE,
)
_TITLE = re.compile(
    r".*?whatsapp(?:[ _-]+chat)?[ _-]+(?:(?:with|mit|con|avec|com|med|met|z|s|ile)[ _-]+)?", re.IGNORECASE
)
_COPY = re.compile(r"\s*\(\d+\)$")
#: Who goes back further than the end of summer time does, pasted an old chat.
_BACK = timedelta(hours=2)


@dataclass(frozen=True, slots=True)
class _Line:
    """A line with a header: its form, the three numbers of its date, its time, and what comes after."""

    form: tuple[bool, str, bool, bool]
    date: tuple[int, int, int]
    time: tuple[int, int, int]
    rest: str


@dataclass
class _Order:
    """What the dates of a file say on the order of day and month."""

    largest: tuple[int, int] = (0, 0)
    back: Counter[bool] = field(default_factory=Counter)
    last: dict[bool, datetime] = field(default_factory=dict)
    differs: bool = False

    def see(self, line: _Line) -> None:
        first, second, _ = line.date
        self.largest = max(self.largest[0], first), max(self.largest[1], second)
        self.differs = self.differs or first != second
        for day_first in (True, False):
            if clock := _clock(line, day_first=day_first):
                if day_first in self.last and clock < self.last[day_first] - _BACK:
                    self.back[day_first] += 1
                self.last[day_first] = clock

    def day_first(self, separator: str, asked: bool | None) -> bool | None:
        """Return the order, or None if nothing tells: a number over 12, time running backwards, dots between."""
        if self.largest[0] > 31 or not self.differs:
            return False
        if self.largest[0] > 12 or self.largest[1] > 12:
            return self.largest[0] > 12
        if asked is not None or separator == ".":
            return True if asked is None else asked
        return None if self.back[True] == self.back[False] else self.back[True] < self.back[False]


@dataclass(frozen=True)
class _File:
    """How the headers of a file are to be read."""

    member: Member
    form: tuple[bool, str, bool, bool]
    day_first: bool


def found(export: Export) -> bool:
    return any(_form(export.head(m)) for m in export.matching(r".*\.txt"))


def read(export: Export, asked: Asked) -> Iterator[Message]:
    """Yield the messages of each text file. Raises ExportFault if day and month of one cannot be told apart."""
    for member in export.matching(r".*\.txt"):
        form = _form(export.head(member))
        if form is None:
            continue
        day_first = _order(member, form).day_first(form[1], asked.day_first)
        if day_first is None:
            raise ExportFault(
                f"{member.name}: no date in it tells whether the day or the month comes first.",
                "Say which, with --day-first or --month-first.",
            )
        file = _File(member, form, day_first)
        yield from _messages(file, _thread(export, file, asked), asked)


def _form(head: bytes) -> tuple[bool, str, bool, bool] | None:
    """Return the form of the first header that has a writer, or None where there is none: not WhatsApp's file."""
    lines = head.decode("utf-8-sig", "replace").splitlines()[:200]
    headers = [line for line in map(_header, lines[:-1] if len(lines) > 1 else lines) if line]
    if not headers or not any(_SAID.match(line.rest) for line in headers):
        return None
    return headers[0].form


def _header(text: str) -> _Line | None:
    found = _HEADER.match(text)
    if not found:
        return None
    half = found[6] or found[10]
    hour, minute, second = int(found[7]), int(found[8]), int(found[9] or 0)
    if half:
        hour = hour % 12 + (12 if half.lower().startswith(_AFTERNOON) else 0)
    date = int(found[2]), int(found[4]), int(found[5])
    form = (bool(found[1]), found[3], found[9] is not None, half is not None)
    return _Line(form, date, (hour, minute, second), found[11])


def _clock(line: _Line, *, day_first: bool) -> datetime | None:
    first, second, third = line.date
    year, month, day = (third, second, first) if day_first else (third, first, second)
    if first > 31:
        year, month, day = first, second, third
    if year < 100:
        year += 2000
    elif year > 2400:
        year -= 543  # the Buddhist calendar of Thai telephones
    try:
        return datetime(year, month, day, *line.time)
    except ValueError:
        return None


def _text_lines(member: Member) -> Iterator[str]:
    with member.open() as file, io.TextIOWrapper(file, "utf-8-sig", "replace", newline="\n") as text:
        for line in text:
            yield line.rstrip("\r\n")


def _order(member: Member, form: tuple[bool, str, bool, bool]) -> _Order:
    order = _Order()
    for text in _text_lines(member):
        line = _header(text)
        if line and line.form == form:
            order.see(line)
    return order


def _thread(export: Export, file: _File, asked: Asked) -> Thread:
    """Name the chat: as its file is called, or, if that has been renamed, by the other's name where there is one."""
    parsed = (_parsed("\n".join(lines)) for _, lines in _gathered(file))
    writers = {name: None for name, _, kind in parsed if kind == "said"}
    mine = {name.strip().casefold() for name in asked.me}
    others = [name for name in writers if name.casefold() not in mine]
    stem = file.member.stem[:200]
    if stem.strip("_").lower() in ("chat", ""):
        stem = file.member.folder.rpartition("/")[2].removesuffix(".zip") or export.path.stem
    title = _COPY.sub("", _TITLE.sub("", stem, count=1)).strip()
    if not title or title == stem:
        # Renamed groups share one name: their messages are told apart by time, writer and text.
        title = others[0] if len(others) == 1 and len(writers) == 2 else ""
    return Thread(title, title, group=len(others) > 1 and len(writers) > 2)


def _messages(file: _File, thread: Thread, asked: Asked) -> Iterator[Message]:
    people: dict[str, Person] = {}
    same: Counter[tuple[str, str]] = Counter()
    last: datetime | None = None
    for clock, lines in _gathered(file):
        if clock != last:
            same.clear()
            last = clock
        name, text, kind = _parsed("\n".join(lines))
        who = people.setdefault(name, Person(name, name) if name else Person("", "", me=False))
        same[name, text] += 1
        identity = _identity(clock, name, text, same[name, text])
        yield Message(thread, identity, from_clock(clock, asked.zone), who, text, kind)


def _gathered(file: _File) -> Iterator[tuple[datetime, list[str]]]:
    """Yield the time and the lines of each message; what follows a header that cannot be one is marked as quoted."""
    now: datetime | None = None
    lines: list[str] = []
    quote = ""
    for text in _text_lines(file.member):
        line = _header(text)
        clock = _clock(line, day_first=file.day_first) if line and line.form == file.form else None
        if line and clock and (now is None or clock >= now - _BACK):
            if now:
                yield now, lines
            now, lines, quote = clock, [line.rest], ""
        elif now:
            quote = "> " if line else quote
            lines.append(quote + text)
    if now:
        yield now, lines


def _parsed(rest: str) -> tuple[str, str, Kind]:
    """Return who wrote, what, and of what kind it is."""
    said = _SAID.match(rest)
    if not said:
        return "", _HIDDEN.sub("", rest).strip(), "system"
    name, text = _name(said[1]), said[2] or ""
    if _is_programs(text):
        plain = _HIDDEN.sub("", text).strip()
        attached = _ATTACHED.match(plain)
        if attached and plain[attached.end() :].strip():
            return name, plain[attached.end() :].strip(), "said"
        media = (
            attached
            or _ANGLE.fullmatch(plain)
            or plain.lower().endswith((" omitted", "weggelassen", "omitido", "omitida"))
        )
        return name, plain, "media" if media else "deleted" if _DELETED.fullmatch(plain) else "system"
    text = _HIDDEN.sub("", _EDITED.sub("", text)).strip()
    return name, _ATTACHED.sub("", text, count=1).strip() if _ATTACHED.match(text) else text, _kind(text)


def _kind(text: str) -> Kind:
    if _DELETED.fullmatch(text):
        return "deleted"
    if not text or text == "null":
        return "empty"
    attached = _ATTACHED.match(text)
    if _ANGLE.fullmatch(text) or _LOCATION.fullmatch(text) or (attached and not text[attached.end() :].strip()):
        return "media"
    return "said"


def _is_programs(text: str) -> bool:
    """Tell whether the program wrote it: iOS puts a mark before that."""
    return text.startswith("\u200e")


def _name(text: str) -> str:
    return _HIDDEN.sub("", text).strip().removeprefix("~").strip()


def _identity(clock: datetime, name: str, text: str, number: int) -> str:
    """Name a message by what every export of the chat says of it."""
    whole = f"{clock:%Y%m%d%H%M%S}\0{name}\0{text}\0{number}".encode("utf-8", "replace")
    return hashlib.blake2b(whole, digest_size=8).hexdigest()
