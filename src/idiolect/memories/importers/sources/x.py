"""X, once Twitter: the archive of an account, whose data are scripts that assign an array each (data/tweets.js).

Posts and replies are the person's alone, for what they answer is not in the archive; direct messages have both sides.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC
from html import unescape
from typing import Any

import msgspec

from idiolect.memories.importers.dates import Dates
from idiolect.memories.importers.export import Export, Member
from idiolect.memories.importers.json_stream import records
from idiolect.memories.importers.message import Asked, Kind, Message, Person, Thread, Unreadable
from idiolect.memories.importers.times import from_iso

_POSTS = r"(?:tweets?|community-tweet|note-tweet)(?:-part\d+)?\.js"
_LETTERS = r"direct-messages?(?:-group)?(?:s)?(?:-part\d+)?\.js"
_ACCOUNT = r"account\.js"
_BEGINS = re.compile(rb"\s*window\.YTD\.[\w.]+\s*=\s*\[")
_ID = re.compile(rb'"accountId"\s*:\s*"(\d{1,30})"')
_RETWEET = re.compile(r"RT @\w{1,20}: ")
#: Whom a reply is to stands before its words.
_MENTIONS = re.compile(r"(?:@\w{1,20}\s+)+")


class _Post(msgspec.Struct, gc=False):
    id_str: Any = None
    full_text: Any = None
    text: Any = None
    created_at: Any = None
    in_reply_to_status_id_str: Any = None
    entities: Any = None


class _Tweet(msgspec.Struct, gc=False):
    tweet: _Post | None = None


class _Conversation(msgspec.Struct, gc=False):
    id: Any = msgspec.field(name="conversationId", default=None)
    messages: Any = None


class _Letters(msgspec.Struct, gc=False):
    conversation: _Conversation | None = msgspec.field(name="dmConversation", default=None)


def found(export: Export) -> bool:
    return bool(_members(export, _POSTS) or _members(export, _LETTERS))


def _members(export: Export, pattern: str) -> list[Member]:
    return [m for m in export.matching(pattern) if _BEGINS.match(export.head(m))]


def read(export: Export, _: Asked) -> Iterator[Message | Unreadable]:
    ids = [found[1].decode() for m in _members(export, _ACCOUNT) if (found := _ID.search(export.head(m)))]
    me = Person(ids[0] if ids else "me", "", me=True)
    for member in _members(export, _POSTS):
        with member.open() as file:
            for batch in records(file, member.name, _Tweet):
                if isinstance(batch, Unreadable):
                    yield batch
                else:
                    yield from (_post(one.tweet, me) for one in batch.records if one.tweet)
    for member in _members(export, _LETTERS):
        with member.open() as file:
            for some in records(file, member.name, _Letters):
                if isinstance(some, Unreadable):
                    yield some
                else:
                    for one in some.records:
                        if one.conversation:
                            yield from _letters(one.conversation, ids)


_ALL_POSTS = Thread("posts", "", "observation", alone=True)


def _post(post: _Post, me: Person) -> Message:
    text = post.full_text if isinstance(post.full_text, str) else post.text if isinstance(post.text, str) else ""
    when = Dates().read(str(post.created_at), UTC)
    kind: Kind = "forwarded" if _RETWEET.match(text) else "said"
    text = _plain(text, post.entities if isinstance(post.entities, dict) else {})
    text = _MENTIONS.sub("", text, count=1) if post.in_reply_to_status_id_str and _MENTIONS.match(text) else text
    return Message(_ALL_POSTS, str(post.id_str or post.created_at), when, me, text, kind if text else "media")


def _plain(text: str, entities: dict[str, Any]) -> str:
    """Return the words of a post: shortened links at full length, those of its own pictures left out."""
    for kind in ("urls", "media"):
        links = entities.get(kind)
        for link in links if isinstance(links, list) else ():
            short, whole = (link.get("url"), link.get("expanded_url")) if isinstance(link, dict) else (None, None)
            if isinstance(short, str) and short:
                text = text.replace(short, whole if kind == "urls" and isinstance(whole, str) else "")
    return unescape(text).strip()


def _letters(conversation: _Conversation, ids: list[str]) -> Iterator[Message]:
    entries = conversation.messages if isinstance(conversation.messages, list) else []
    created = [e["messageCreate"] for e in entries if isinstance(e, dict) and isinstance(e.get("messageCreate"), dict)]
    senders = {str(c.get("senderId")) for c in created}
    key = str(conversation.id or "")
    thread = Thread(key, group=len(senders) > 2 or (bool(key) and "-" not in key))
    people = {s: Person(s, "" if s in ids else s, True if s in ids else None) for s in senders}
    timed = [(from_iso(c.get("createdAt")), c) for c in reversed(created)]
    for when, one in sorted(timed, key=lambda t: t[0] or 0.0):
        urls = one.get("urls")
        links = (
            [{"url": u.get("url"), "expanded_url": u.get("expanded")} for u in urls if isinstance(u, dict)]
            if isinstance(urls, list)
            else []
        )
        text = _plain(one["text"], {"urls": links}) if isinstance(one.get("text"), str) else ""
        kind: Kind = "said" if text else "media"
        yield Message(
            thread, str(one.get("id") or one.get("createdAt")), when, people[str(one.get("senderId"))], text, kind
        )
