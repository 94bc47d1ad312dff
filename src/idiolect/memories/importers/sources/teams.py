"""Microsoft Teams for oneself, and Skype: messages.json of the personal export, conversations with a list of messages.

The same account and the same form for both. Words are HTML or Skype's own markup, in which a quotation of another
message stands between <quote> tags.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from typing import Any

import msgspec

from idiolect.memories.importers.export import Export, Member
from idiolect.memories.importers.json_stream import records
from idiolect.memories.importers.mail_text import text_of_html
from idiolect.memories.importers.message import Asked, Kind, Message, Person, Thread, Unreadable
from idiolect.memories.importers.times import from_iso

_FILES = r".*\.json"
_WORDS = ("Text", "RichText", "RichText/Html")
_QUOTE = re.compile(r"<quote\b[^>]{0,2000}>(.*?)</quote>", re.DOTALL)
_LEGACY = re.compile(r"<legacyquote>.*?</legacyquote>|<e_m\b[^>]{0,2000}>(?:</e_m>)?", re.DOTALL)
_MARKUP = re.compile(
    r"<(?:/?(?:p|div|br|b|i|s|a|at|ss|pre|code|span|blockquote|ul|ol|li|em|strong|c_i|hr)\b)", re.IGNORECASE
)
_USER = re.compile(rb'"userId"\s*:\s*"([^"]{1,200})"')


class _Said(msgspec.Struct, gc=False):
    id: Any = None
    display_name: Any = msgspec.field(name="displayName", default=None)
    when: Any = msgspec.field(name="originalarrivaltime", default=None)
    type: Any = msgspec.field(name="messagetype", default=None)
    content: Any = None
    sender: Any = msgspec.field(name="from", default=None)
    properties: Any = None


class _Conversation(msgspec.Struct, gc=False):
    messages: list[_Said] = msgspec.field(name="MessageList", default_factory=list)
    id: Any = None
    display_name: Any = msgspec.field(name="displayName", default=None)
    thread: Any = msgspec.field(name="threadProperties", default=None)


def found(export: Export) -> bool:
    return bool(_members(export))


def _members(export: Export) -> list[Member]:
    return [
        m for m in export.matching(_FILES) if b'"conversations"' in export.head(m) and export.holds(m, b'"MessageList"')
    ]


def read(export: Export, _: Asked) -> Iterator[Message | Unreadable]:
    for member in _members(export):
        user = _USER.search(export.head(member))
        me = user[1].decode("utf-8", "replace") if user else ""
        with member.open() as file:
            for batch in records(file, member.name, _Conversation, "conversations"):
                if isinstance(batch, Unreadable):
                    yield batch
                else:
                    for conversation in batch.records:
                        yield from _messages(conversation, me)


def _messages(conversation: _Conversation, me: str) -> Iterator[Message]:
    key = str(conversation.id or "")
    title = conversation.display_name if isinstance(conversation.display_name, str) else ""
    thread = Thread(key, title, group=isinstance(conversation.thread, dict) and key.startswith("19:"))
    people: dict[tuple[str, str], Person] = {}
    # Newest first, as they come.
    timed = [(from_iso(said.when), said) for said in reversed(conversation.messages)]
    for when, said in sorted(timed, key=lambda t: t[0] or 0.0):
        identity = str(said.sender or "").rpartition("/")[2]
        shown = said.display_name if isinstance(said.display_name, str) else ""
        name = shown or (title if identity == key else "") or identity.partition(":")[2]
        who = people.setdefault((identity, name), Person(identity, name, True if me and identity == me else None))
        text = _text(said.content)
        yield Message(thread, str(said.id or said.when or ""), when, who, text, _kind(said, text))


def _kind(said: _Said, text: str) -> Kind:
    deleted = isinstance(said.properties, dict) and said.properties.get("deletetime")
    if deleted or (said.type in _WORDS and not said.content):
        return "deleted"
    if said.type not in _WORDS:
        return "media" if str(said.type).startswith("RichText/") else "system"
    return "said" if text else "empty"


def _text(content: Any) -> str:
    if not isinstance(content, str):
        return ""
    text = _QUOTE.sub(_quoted, _LEGACY.sub("", content))
    if _MARKUP.search(text):
        quoted = text.startswith("> ")
        before, _, text = text.rpartition("\n\0") if quoted else ("", "", text)
        text = "\n".join(filter(None, (before, text_of_html(text.replace("\n", "<br>")))))
    return unescape(text).replace("\0", "").strip()


def _quoted(found: re.Match[str]) -> str:
    return "".join(f"> {line}\n" for line in found[1].strip().splitlines()) + "\0"
