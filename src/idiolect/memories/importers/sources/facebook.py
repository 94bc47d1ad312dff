"""Facebook Messenger and Instagram: message_1.json and so on in a folder for each conversation, newest first.

Meta writes UTF-8 bytes as if each were a Latin-1 character; a text that can be read back so is. The downloads of
end-to-end encrypted chats have other names for the same things and are right as they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby
from typing import Any

import msgspec

from idiolect.memories.importers.export import Export, Member
from idiolect.memories.importers.facebook_words import is_programs, last_versions
from idiolect.memories.importers.json_stream import lenient
from idiolect.memories.importers.message import Asked, Kind, Message, Person, Thread, Unreadable
from idiolect.memories.importers.naming import Naming
from idiolect.memories.importers.times import from_number

_FILES = r"[^/]+/message_\d+\.json"
_ENCRYPTED = r"[^/]+\.json"
_PROFILES = r"(?:profile_information|personal_information)\.json"


class _Said(msgspec.Struct, gc=False):
    sender: Any = msgspec.field(name="sender_name", default=None)
    when: Any = msgspec.field(name="timestamp_ms", default=None)
    content: Any = None
    type: Any = None
    is_unsent: Any = None
    call_duration: Any = None
    sender_name: Any = msgspec.field(name="senderName", default=None)
    timestamp: Any = None
    text: Any = None
    unsent: Any = msgspec.field(name="isUnsent", default=None)


class _Conversation(msgspec.Struct, gc=False):
    messages: list[_Said]
    participants: Any = None
    title: Any = None
    thread_path: Any = None
    thread_name: Any = msgspec.field(name="threadName", default=None)


def found(export: Export) -> bool:
    return any(b'"participants"' in export.head(m) for m in _members(export)[:50])


def read(export: Export, _: Asked) -> Iterator[Message | Unreadable]:
    me = _owner(export)
    for _place, files in groupby(_members(export), key=lambda m: m.folder if "message_" in m.name else m.name):
        # The highest number is the oldest.
        yield from _conversation(export, list(files)[::-1], me)


def _members(export: Export) -> list[Member]:
    plain = export.matching(_FILES)
    names = {m.name for m in plain}
    others = (m for m in export.matching(_ENCRYPTED) if m.name not in names and not re.fullmatch(_PROFILES, m.name))
    encrypted = [m for m in others if all(key in export.head(m) for key in (b'"threadName"', b'"participants"'))]
    return [*plain, *encrypted]


def _conversation(export: Export, files: list[Member], me: str | None) -> Iterator[Message | Unreadable]:
    people: dict[str, Person] = {}
    names = Naming()
    thread: Thread | None = None
    for file in files:
        try:
            found = lenient(export.whole(file), _Conversation)
        except (ValueError, RecursionError) as fault:
            yield Unreadable(file.name, str(fault))
            continue
        thread = thread or _thread(found, file)
        bearers = _participants(found)
        messages = [_message(thread, s, people, names, me, bearers) for s in _in_order(found.messages)]
        yield from last_versions(messages)


def _thread(found: _Conversation, file: Member) -> Thread:
    participants = found.participants if isinstance(found.participants, list) else []
    path = found.thread_path if isinstance(found.thread_path, str) else ""
    # The folder of a conversation is moved between inbox and archive; its name stays.
    key = path.rpartition("/")[2] or (file.folder.rpartition("/")[2] if "message_" in file.name else file.stem)
    title = found.title if isinstance(found.title, str) else found.thread_name
    return Thread(key, repaired(title).strip() if isinstance(title, str) else "", group=len(participants) > 2)


def _participants(found: _Conversation) -> set[str]:
    listed = found.participants if isinstance(found.participants, list) else []
    names = (p.get("name") if isinstance(p, dict) else p for p in listed)
    return {repaired(name).strip() for name in names if isinstance(name, str)} - {""}


def _in_order(messages: list[_Said]) -> list[_Said]:
    return sorted(messages, key=lambda s: _when(s) or 0.0)


def _message(  # noqa: PLR0913, PLR0917 - what is known of a conversation
    thread: Thread, said: _Said, people: dict[str, Person], names: Naming, me: str | None, bearers: set[str]
) -> Message:
    if isinstance(said.sender_name, str):
        name, text, stamp = said.sender_name.strip(), _string(said.text).strip(), said.timestamp
    else:
        name, text, stamp = repaired(_string(said.sender)).strip(), repaired(_string(said.content)).strip(), said.when
    if name not in people:
        people[name] = Person(name, name, me=None if me is None else name == me)
    identity = names.name(str(stamp), name, text)
    return Message(thread, identity, _when(said), people[name], text, _kind(said, text, name, bearers))


def _when(said: _Said) -> float | None:
    return from_number(said.when if said.when is not None else said.timestamp, 1000)


def _kind(said: _Said, text: str, name: str, bearers: set[str]) -> Kind:
    if said.is_unsent or said.unsent:
        return "deleted"
    if said.call_duration is not None or said.type in ("Call", "Subscribe", "Unsubscribe", "call"):
        return "system"
    if not text:
        return "media"
    return "system" if is_programs(text, name, bearers) else "said"


def repaired(text: str) -> str:
    """Return a text whose UTF-8 bytes were written as Latin-1 characters as it was; any other as it is."""
    if text.isascii():
        return text
    try:
        return text.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return text


def _owner(export: Export) -> str | None:
    """Return the name of whose download it is, if it holds their profile."""
    for member in export.matching(_PROFILES):
        try:
            profile = lenient(export.whole(member), dict[str, Any])
        except (ValueError, RecursionError):
            continue
        facebook = _deep(profile, "profile_v2", "name", "full_name")
        users = profile.get("profile_user")
        instagram = _deep(users[0], "string_map_data", "Name", "value") if isinstance(users, list) and users else None
        for name in (facebook, instagram):
            if isinstance(name, str) and name:
                return repaired(name).strip()
    return None


def _deep(value: Any, *keys: str) -> Any:
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _string(value: Any) -> str:
    """Return a text as it stands: the last of its bytes may look like white space until they are repaired."""
    return value if isinstance(value, str) else ""
