"""mbox: a mailbox in one file, as Google Takeout, Thunderbird and Apple Mail write it (RFC 4155).

The person's own mails are learned, each with the mail that it answers, or else with what it quotes of that. The file
is read three times: for which mails are answered, for the text of those, for the answers.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from datetime import UTC
from email import message_from_bytes
from email.errors import MessageError
from email.header import decode_header
from email.message import Message as Mail
from email.utils import parseaddr, parsedate_to_datetime

from idiolect.memories.importers.export import Export, Member
from idiolect.memories.importers.identity import Selves
from idiolect.memories.importers.lengths import trimmed
from idiolect.memories.importers.mail_text import own_words, text_of_mail
from idiolect.memories.importers.message import Asked, Kind, Message, Person, Thread, Unreadable
from idiolect.memories.importers.times import from_clock

_FILES = r".*\.mbox|mbox|.*/mbox"
_LARGEST_MAIL = 32_000_000
_REMEMBERED_BYTES = 2_000
_BLANK = re.compile(rb"\r?\n\r?\n")
_ID = re.compile(r"<[^<>\s]+>")
_ESCAPED_FROM = re.compile(rb"^>(>*From )", re.MULTILINE)
_SUBJECT = re.compile(r"^(?:(?:re|aw|sv|antw|fwd?|wg|rv|tr|vs)\s*(?:\[\d+\])?:\s*)+", re.IGNORECASE)
#: The standard library's parser of mails meets headers that its authors did not think of.
_FAULTS = (MessageError, ValueError, LookupError, RecursionError, TypeError, AttributeError, OverflowError)
_ROBOTS = ("no-reply", "noreply", "donotreply", "mailer-daemon")


def found(export: Export) -> bool:
    return any(export.head(m).startswith(b"From ") for m in export.matching(_FILES))


def read(export: Export, asked: Asked) -> Iterator[Message | Unreadable]:
    known = Selves(asked.me)
    members = [m for m in export.matching(_FILES) if export.head(m).startswith(b"From ")]

    def is_mine(mail: Mail, who: Person) -> bool:
        return known(who) or "Sent" in _labels(mail)

    answered = _answered(members, is_mine)
    texts = _texts(members, answered)
    for member in members:
        for number, raw in enumerate(_mails(member), start=1):
            if raw is None:
                yield Unreadable(f"{member.name}, mail {number}", f"larger than {_LARGEST_MAIL // 1_000_000} MB")
                continue
            try:
                yield from _messages(raw, is_mine, texts, asked)
            except _FAULTS as fault:
                yield Unreadable(f"{member.name}, mail {number}", f"cannot be read ({fault!r})")


def _answered(members: list[Member], is_mine: Callable[[Mail, Person], bool]) -> set[str]:
    """Return the ids of the mails that the person's own answer."""
    wanted = set()
    for member in members:
        for raw in _mails(member):
            head = _head(raw) if raw else None
            if head and is_mine(head, _who(head)) and (target := _target(head)):
                wanted.add(target)
    return wanted


def _texts(members: list[Member], wanted: set[str]) -> dict[str, tuple[Person, float | None, str]]:
    """Return who wrote each of these mails, when, and what of their own stands in it, cut short."""
    texts = {}
    for member in members if wanted else ():
        for raw in _mails(member):
            head = _head(raw) if raw else None
            if raw and head and (name := _name(head)) in wanted and name not in texts:
                try:
                    mail = message_from_bytes(_ESCAPED_FROM.sub(rb"\1", raw))
                    words = own_words(text_of_mail(mail))[0]
                except _FAULTS:
                    continue
                texts[name] = _who(head), _when(head), trimmed(words, _REMEMBERED_BYTES)
    return texts


def _messages(
    raw: bytes,
    is_mine: Callable[[Mail, Person], bool],
    texts: dict[str, tuple[Person, float | None, str]],
    asked: Asked,
) -> Iterator[Message]:
    head = _parsed_head(raw)
    who = _who(head)
    name = _name(head) or hashlib.blake2b(raw, digest_size=8).hexdigest()
    thread = Thread(name, _SUBJECT.sub("", _header(head, "Subject")), "conversation")
    if not is_mine(head, who):
        if name not in texts:
            robot = any(r in who.id for r in _ROBOTS) or head.get("Auto-Submitted", "no") != "no"
            yield Message(thread, name, _when(head), who, "", "bot" if robot else "said")
        return
    me = who if asked.me else Person(who.id, who.name, me=True)
    own, quoted = own_words(text_of_mail(message_from_bytes(_ESCAPED_FROM.sub(rb"\1", raw))))
    target = _target(head)
    if target in texts and texts[target][2] and own:
        other, when, text = texts[target]
        yield Message(thread, target, when, other, text)
    elif quoted and own:
        own = "".join(f"> {line}\n" for line in trimmed(quoted, _REMEMBERED_BYTES).splitlines()) + own
    kind: Kind = "said" if own else "empty"
    yield Message(thread, name, _when(head), me, own, kind, target if target in texts else "")


def _mails(member: Member) -> Iterator[bytes | None]:
    """Yield the bytes of each mail without its From_ line; None for one that is too large."""
    parts: list[bytes] = []
    size = 0
    begun = blank = False
    with member.open() as file:
        for line in file:
            if line.startswith(b"From ") and (blank or not begun):
                if begun:
                    yield b"".join(parts) if size <= _LARGEST_MAIL else None
                parts, size, begun = [], 0, True
            elif begun:
                size += len(line)
                if size <= _LARGEST_MAIL:
                    parts.append(line)
            blank = not line.strip(b"\r\n")
    if begun:
        yield b"".join(parts) if size <= _LARGEST_MAIL else None


def _head(raw: bytes) -> Mail | None:
    try:
        return _parsed_head(raw)
    except _FAULTS:
        return None


def _parsed_head(raw: bytes) -> Mail:
    return message_from_bytes(_BLANK.split(raw, maxsplit=1)[0] + b"\n\n")


def _header(mail: Mail, name: str) -> str:
    """Return a header as text: encoded words decoded, folded lines joined."""
    value = mail.get(name)
    if value is None:
        return ""
    try:
        pieces = decode_header(str(value))
        text = "".join(p if isinstance(p, str) else p.decode(c or "ascii", "replace") for p, c in pieces)
    except _FAULTS:
        text = str(value)
    return " ".join(text.encode("utf-8", "replace").decode("utf-8").split())


def _who(mail: Mail) -> Person:
    written = _header(mail, "From")
    try:
        name, address = parseaddr(written)
    except _FAULTS:
        name, address = written, ""
    address = address.casefold()
    return Person(address or name, name or address)


def _name(mail: Mail) -> str:
    found = _ID.search(_header(mail, "Message-ID"))
    return found[0] if found else ""


def _target(mail: Mail) -> str:
    found = _ID.findall(_header(mail, "In-Reply-To")) or _ID.findall(_header(mail, "References"))[-1:]
    return str(found[0]) if found else ""


def _when(mail: Mail) -> float | None:
    try:
        moment = parsedate_to_datetime(_header(mail, "Date"))
    except _FAULTS:
        return None
    return from_clock(moment, UTC)


def _labels(mail: Mail) -> set[str]:
    return {label.strip().strip('"') for label in _header(mail, "X-Gmail-Labels").split(",")}
