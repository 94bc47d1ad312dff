"""Slack: a folder for each channel, a file for each day, and users.json that says who is who.

The time of a message is its name, a string with six decimals. Answers in a thread are a conversation of their own,
which begins with the message that they hang from.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator, Mapping
from itertools import groupby
from typing import Any

import msgspec

from idiolect.memories.importers.export import Export, Member
from idiolect.memories.importers.json_stream import lenient
from idiolect.memories.importers.message import Asked, Kind, Message, Person, Thread, Unreadable
from idiolect.memories.importers.times import from_number

_DAYS = r"[^/]+/\d{4}-\d\d-\d\d\.json"
_MARKUP = re.compile(r"<([^<>]+)>")
_SLACKBOT = "USLACKBOT"
_WRITTEN = frozenset({None, "thread_broadcast", "me_message", "file_share", "file_comment"})

#: Elements of a message's blocks, and what is read of each.
_ELEMENTS: dict[str, Callable[[dict[str, Any]], str]] = {
    "text": lambda e: str(e.get("text") or ""),
    "plain_text": lambda e: str(e.get("text") or ""),
    "link": lambda e: str(e.get("text") or e.get("url") or ""),
    "emoji": lambda e: f":{e.get('name')}:",
    "broadcast": lambda e: f"@{e.get('range')}",
}


class _Said(msgspec.Struct, gc=False):
    ts: Any = None
    type: Any = None
    subtype: Any = None
    user: Any = None
    text: Any = None
    thread_ts: Any = None
    bot_id: Any = None
    hidden: Any = None
    files: Any = None
    reply_count: Any = None
    blocks: Any = None
    user_profile: Any = None
    bot_profile: Any = None


def found(export: Export) -> bool:
    return bool(export.matching(r"users\.json")) and any(b'"ts"' in export.head(m) for m in export.matching(_DAYS)[:20])


def read(export: Export, _: Asked) -> Iterator[Message | Unreadable]:
    people = _people(export)
    two = _two(export)
    for folder, days in groupby(export.matching(_DAYS), key=lambda m: m.folder):
        channel = folder.rpartition("/")[2]
        yield from _channel(export, Thread(channel, channel, group=channel not in two), list(days), people)


def _channel(
    export: Export, thread: Thread, days: list[Member], people: dict[str, Person]
) -> Iterator[Message | Unreadable]:
    """Yield what was said in the channel itself, then each of its threads."""
    threads: dict[str, list[_Said]] = {}
    for day in days:
        try:
            found = lenient(export.whole(day), list[_Said])
        except (ValueError, RecursionError) as fault:
            yield Unreadable(day.name, str(fault))
            continue
        for said in sorted(found, key=lambda s: str(s.ts)):
            if isinstance(said.thread_ts, str) and (said.reply_count or said.thread_ts != said.ts):
                threads.setdefault(said.thread_ts, []).append(said)
            else:
                yield _message(thread, said, people)
    for name, answers in threads.items():
        hanging = msgspec.structs.replace(thread, key=f"{thread.key}/{name}")
        for said in sorted(answers, key=lambda s: str(s.ts)):
            yield _message(hanging, said, people)


def _message(thread: Thread, said: _Said, people: dict[str, Person]) -> Message:
    text = _text(said.text, people) or _of_blocks(said.blocks, people)
    user = said.user if isinstance(said.user, str) else ""
    if user not in people:
        # Somebody of another workspace is in no list, but says who they are.
        people[user] = _person(user, said.user_profile if isinstance(said.user_profile, dict) else {})
    who = people[user]
    return Message(thread, str(said.ts), from_number(said.ts), who, text, _kind(said, text))


def _kind(said: _Said, text: str) -> Kind:
    if said.subtype == "tombstone":
        return "deleted"
    if said.bot_id or said.bot_profile or said.subtype in ("bot_message", "reminder_add") or said.user == _SLACKBOT:
        return "bot"
    if (
        said.type != "message"
        or said.hidden
        or not isinstance(said.subtype, str | None)
        or said.subtype not in _WRITTEN
    ):
        return "system"
    return "said" if text else "media"


def _text(text: Any, people: Mapping[str, Person]) -> str:
    """Return a text without Slack's markup: who and what is named in it by its name."""
    if not isinstance(text, str):
        return ""

    def named(found: re.Match[str]) -> str:
        target, _, label = found[1].partition("|")
        if target.startswith("@"):
            person = people.get(target[1:])
            return f"@{person.name if person else label or target[1:]}"
        if target.startswith("!"):
            return label or f"@{target[1:].partition('^')[0]}"
        return (f"#{label}" if target.startswith("#") else label) or target

    return html.unescape(_MARKUP.sub(named, text)).strip()


def _of_blocks(blocks: Any, people: Mapping[str, Person]) -> str:
    """Return the words of a message's blocks, for one that has no text beside them."""
    if isinstance(blocks, list):
        return "".join(_of_blocks(b, people) + ("\n" if _ends(b) else "") for b in blocks).strip("\n")
    if not isinstance(blocks, dict):
        return ""
    if shown := _ELEMENTS.get(str(blocks.get("type"))):
        return shown(blocks)
    if blocks.get("type") in ("user", "mrkdwn"):
        return _text(blocks.get("text") or f"<@{blocks.get('user_id')}>", people)
    words = _of_blocks(blocks.get("elements") or blocks.get("text"), people)
    return "\n".join(f"> {line}" for line in words.split("\n")) if blocks.get("type") == "rich_text_quote" else words


def _ends(block: Any) -> bool:
    """Tell whether after a block a line ends."""
    return isinstance(block, dict) and str(block.get("type")).startswith(("rich_text_", "section"))


def _people(export: Export) -> dict[str, Person]:
    """Return who is who, by id."""
    return {
        identity: _person(identity, user)
        for user in _listed(export, r"users\.json")
        if isinstance(identity := user.get("id"), str)
    }


def _person(identity: str, user: Mapping[str, Any]) -> Person:
    """Return somebody under the name that is shown, with the others and the address by which they are known."""
    profile = user["profile"] if isinstance(user.get("profile"), dict) else user
    names = [profile.get("display_name"), profile.get("real_name"), user.get("real_name"), user.get("name")]
    known = [n for n in (*names, profile.get("email"), identity) if isinstance(n, str) and n]
    return Person(identity, known[0] if known else "", also=tuple(dict.fromkeys(known[1:])))


def _two(export: Export) -> set[str]:
    """Return the folders in which two people talk."""
    return {str(d.get("id")) for d in _listed(export, r"dms\.json")} | {
        str(d.get("name")) for d in _listed(export, r"dms\.json")
    }


def _listed(export: Export, pattern: str) -> Iterator[dict[str, Any]]:
    for member in export.matching(pattern):
        try:
            yield from lenient(export.whole(member), list[dict[str, Any]])
        except (ValueError, RecursionError):
            continue
