"""Signal: the plaintext export of Signal Desktop (main.jsonl), or what signal-export writes (data.json of each chat).

Signal Desktop's lines are frames of its backup format (Backup.proto); numbers may be strings. No real export was at
hand: its keys are named as a program for browsing such exports reads them (Cosmo697/signal-export-browser).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from idiolect.memories.importers.export import Export, Member
from idiolect.memories.importers.grouping import by_thread
from idiolect.memories.importers.json_stream import lines
from idiolect.memories.importers.message import Asked, Kind, Message, Person, Remark, Thread, Unreadable
from idiolect.memories.importers.times import from_iso, from_number

_DESKTOP = r"main\.jsonl"
_CHATS = r"[^/]+/data\.json"
#: What stands for a mention in a text.
_MENTION = "\ufffc"
_MENTIONED = re.compile("( ?)\ufffc")
_ME = Person("Me", "Me", me=True)


def found(export: Export) -> bool:
    return any(_is_desktops(export, m) for m in export.matching(_DESKTOP)) or any(
        _is_chats(export, m) for m in export.matching(_CHATS)
    )


def read(export: Export, asked: Asked) -> Iterator[Message | Unreadable | Remark]:
    for member in export.matching(_DESKTOP):
        if _is_desktops(export, member):
            yield from by_thread(_Desktop().messages(member))
    for member in export.matching(_CHATS):
        if _is_chats(export, member):
            yield from by_thread(_chat(member, asked))


def _is_desktops(export: Export, member: Member) -> bool:
    head = export.head(member)
    return any(key in head for key in (b'"chatItem"', b'"recipient"', b'"backupTimeMs"'))


def _is_chats(export: Export, member: Member) -> bool:
    head = export.head(member)
    return b'"sender"' in head and b'"body"' in head


def _chat(member: Member, asked: Asked) -> Iterator[Message | Unreadable]:
    """Yield the messages of a chat as signal-export writes them: a line each."""
    title = member.folder.rpartition("/")[2]
    thread = Thread(title, title)
    people: dict[str, Person] = {"Me": _ME}
    for found in _rows(member):
        if isinstance(found, Unreadable):
            yield found
            continue
        number, row = found
        name = _string(row.get("sender"))
        who = people.setdefault(name, Person(name, name))
        text = _string(row.get("body"))
        when = from_iso(row.get("date"), asked.zone)
        quoted = _string(row.get("quote")).strip("> \n")
        if quoted and text and who.me and not row.get("call"):
            text = "".join(f"> {line}\n" for line in quoted.splitlines()) + text
        identity = f"{row.get('date', number)}/{name}"
        yield Message(thread, identity, when, who, text, _kind_of_row(row, text))


def _kind_of_row(row: dict[str, Any], text: str) -> Kind:
    if row.get("call") or row.get("missed") or row.get("sender") == "No-Sender":
        return "system"
    if row.get("deleted"):
        return "deleted"
    return "said" if text else "media"


class _Desktop:
    """Reads frames, and remembers who and which chat they speak of."""

    def __init__(self) -> None:
        self._people: dict[str, Person] = {}
        self._groups: set[str] = set()
        self._threads: dict[str, Thread] = {}
        self._by_aci: dict[str, str] = {}

    def messages(self, member: Member) -> Iterator[Message | Unreadable]:
        for found in _rows(member):
            if isinstance(found, Unreadable):
                yield found
                continue
            frame = found[1]
            if isinstance(recipient := frame.get("recipient"), dict):
                self._recipient(recipient)
            elif isinstance(chat := frame.get("chat"), dict):
                self._chat(chat)
            elif isinstance(item := frame.get("chatItem"), dict):
                yield self._item(item)

    def _recipient(self, recipient: dict[str, Any]) -> None:
        identity = str(recipient.get("id"))
        group = recipient.get("group")
        if isinstance(group, dict):
            self._groups.add(identity)
            name = _deep(group, "snapshot", "title", "title") or "Group"
        else:
            contact = recipient.get("contact")
            name = _contact_name(contact) if isinstance(contact, dict) else ""
        me = "self" in recipient
        self._people[identity] = Person(identity, name or ("Me" if me else identity), me)
        if isinstance(contact := recipient.get("contact"), dict) and name:
            self._by_aci[str(contact.get("aci"))] = name

    def _chat(self, chat: dict[str, Any]) -> None:
        recipient = str(chat.get("recipientId"))
        person = self._people.get(recipient)
        notes = bool(person and person.me)
        title = "Note to Self" if notes else person.name if person else ""
        self._threads[str(chat.get("id"))] = Thread(
            recipient, title, "observation" if notes else "chat", recipient in self._groups, notes
        )

    def _item(self, item: dict[str, Any]) -> Message:
        chat, author = str(item.get("chatId")), str(item.get("authorId"))
        thread = self._threads.setdefault(chat, Thread(chat))
        standard = item.get("standardMessage")
        if isinstance(story := item.get("directStoryReplyMessage"), dict):
            standard = story["textReply"] if isinstance(story.get("textReply"), dict) else {}
        text = self._text(standard) if isinstance(standard, dict) else ""
        who = self._people.get(author) or Person(author, author)
        sent = item.get("dateSent")
        kind: Kind = "said" if text else "media" if isinstance(standard, dict) else "system"
        if "remoteDeletedMessage" in item:
            kind = "deleted"
        answered = _deep(standard, "quote", "targetSentTimestamp") if isinstance(standard, dict) else ""
        aimed = _deep(standard, "quote", "authorId") if isinstance(standard, dict) else ""
        reply = f"{answered}/{aimed}" if answered else ""
        return Message(thread, f"{sent}/{author}", from_number(sent, 1000), who, text, kind, reply)

    def _text(self, standard: dict[str, Any]) -> str:
        """Return a text with the names of whom it mentions, where a U+FFFC stands for each."""
        whole = standard.get("text")
        text = _deep(whole, "body")
        if _MENTION not in text:
            return text
        ranges = whole.get("bodyRanges") if isinstance(whole, dict) else None
        found = [r for r in ranges if isinstance(r, dict) and "mentionAci" in r] if isinstance(ranges, list) else []
        names = iter([self._by_aci.get(str(r["mentionAci"]), "") for r in sorted(found, key=_start)])
        return _MENTIONED.sub(lambda m: f"{m[1]}@{name}" if (name := next(names, "")) else "", text).strip()


def _start(found: dict[str, Any]) -> int:
    """Return where in its text a range begins; a first 0 is left out."""
    start = found.get("start", 0)
    return int(start) if isinstance(start, int) or (isinstance(start, str) and start.isdecimal()) else 0


def _contact_name(contact: dict[str, Any]) -> str:
    def joined(*keys: str) -> str:
        return " ".join(part for key in keys if (part := _string(contact.get(key))))

    return (
        joined("systemGivenName", "systemFamilyName")
        or joined("profileGivenName", "profileFamilyName")
        or joined("username")
        or joined("e164")
    )


def _deep(value: Any, *keys: str) -> str:
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else _string(value)


def _string(value: Any) -> str:
    return value.strip() if isinstance(value, str) else ""


def _rows(member: Member) -> Iterator[tuple[int, dict[str, Any]] | Unreadable]:
    with member.open() as file:
        yield from lines(file, member.name, dict)
