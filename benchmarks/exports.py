"""Exports with all the fields that real ones have, put down as their programs do, and as large as one likes.

The words are the sample person's, put together anew, and everything is written piece by piece. What a field is called
and what stands in it is known from exports and from programs that write or read them; names and sentences are made up.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from itertools import count, groupby, islice
from pathlib import Path
from typing import Any, NamedTuple

from idiolect.memories.sample_person import sample_events

WORDS = " ".join(f"{e.get('content', '')} {e.get('response', '')}" for e in sample_events()).split()
ADA, ANNA = "Ada Lunde", "Anna Berg"
BEGIN = 1_600_000_000


class Said(NamedTuple):
    """A message of a chat; `when` in seconds since 1970."""

    number: int
    mine: bool
    text: str
    when: int

    @property
    def who(self) -> str:
        return ADA if self.mine else ANNA

    def date(self, pattern: str) -> str:
        return f"{datetime.fromtimestamp(self.when, UTC):{pattern}}"


def text(draw: random.Random, words: int) -> str:
    start = draw.randrange(len(WORDS) - words)
    return f"{' '.join(WORDS[start : start + words])} {draw.randrange(10**9)}"


def chat(draw: random.Random) -> Iterator[Said]:
    """Yield messages for ever: some in a row, then a pause."""
    when = BEGIN
    for number in count():
        when += draw.choice((20, 60, 300, 300, 3000, 30000))
        yield Said(number, draw.random() < 0.5, text(draw, draw.choice((3, 8, 12, 20, 30))), when)


def uuid(draw: random.Random) -> str:
    digits = f"{draw.getrandbits(128):032x}"
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def chatgpt(draw: random.Random) -> Iterator[str]:
    yield "["
    for number in count():
        before = f"root-{number}"
        mapping: dict[str, Any] = {before: {"message": None, "parent": None, "children": []}}
        for turn in range(draw.choice((4, 6, 8, 12, 20))):
            name = uuid(draw)
            mapping[name] = _node(draw, name, before, number * 5000 + turn * 60, mine=turn % 2 == 0)
            before = name
        conversation = {
            "title": text(draw, 4),
            "create_time": BEGIN + number * 5000,
            "mapping": mapping,
            "moderation_results": [],
            "current_node": before,
            "conversation_id": f"c-{number}",
            "is_archived": False,
            "safe_urls": [],
            "default_model_slug": "gpt-4o",
        }
        yield (", " if number else "") + json.dumps(conversation)


def _node(draw: random.Random, name: str, parent: str, seconds: int, *, mine: bool) -> dict[str, Any]:
    message = {
        "id": name,
        "author": {"role": "user" if mine else "assistant", "name": None, "metadata": {}},
        "create_time": BEGIN + seconds,
        "update_time": None,
        "content": {"content_type": "text", "parts": [text(draw, 20 if mine else 150)]},
        "status": "finished_successfully",
        "end_turn": True,
        "weight": 1.0,
        "metadata": {
            "request_id": name,
            "message_type": None,
            "model_slug": "gpt-4o",
            "citations": [],
            "parent_id": parent,
        },
        "recipient": "all",
        "channel": None,
    }
    return {"id": name, "message": message, "parent": parent, "children": []}


def claude(draw: random.Random) -> Iterator[str]:
    yield "["
    for number in count():
        begin = BEGIN + number * 5000
        messages = [_claudes(draw, begin + turn * 60, mine=turn % 2 == 0) for turn in range(draw.choice((4, 8, 16)))]
        conversation = {
            "uuid": uuid(draw),
            "name": text(draw, 4),
            "summary": "",
            "created_at": _micro(begin),
            "updated_at": _micro(begin + 900),
            "account": {"uuid": "11111111-2222-3333-4444-555555555555"},
            "chat_messages": messages,
        }
        yield (", " if number else "") + json.dumps(conversation, ensure_ascii=False)


def _claudes(draw: random.Random, when: int, *, mine: bool) -> dict[str, Any]:
    said = text(draw, 20 if mine else 150)
    block: dict[str, Any] = {
        "start_timestamp": _micro(when),
        "stop_timestamp": _micro(when + 5),
        "flags": None,
        "type": "text",
        "text": said,
        "citations": [],
    }
    return {
        "uuid": uuid(draw),
        "text": said,
        "content": [block],
        "sender": "human" if mine else "assistant",
        "created_at": _micro(when),
        "updated_at": _micro(when),
        "attachments": [],
        "files": [],
    }


def _micro(when: int) -> str:
    return f"{datetime.fromtimestamp(when, UTC):%Y-%m-%dT%H:%M:%S}.{when % 999983:06}Z"


def telegram(draw: random.Random) -> Iterator[str]:
    yield '{"about": "", "personal_information": {"user_id": 1}, "chats": {"about": "", "list": [{"name": "Anna",'
    yield ' "type": "personal_chat", "id": 7, "messages": ['
    for said in chat(draw):
        message = {
            "id": said.number,
            "type": "message",
            "date": said.date("%Y-%m-%dT%H:%M:%S"),
            "date_unixtime": str(said.when),
            "from": said.who,
            "from_id": "user1" if said.mine else "user2",
            "text": said.text,
            "text_entities": [{"type": "plain", "text": said.text}],
        }
        yield (",\n" if said.number else "\n") + json.dumps(message, indent=1)


def discord(draw: random.Random) -> Iterator[str]:
    """DiscordChatExporter, a channel of a server."""
    head = {
        "guild": {"id": "81", "name": "Boat people", "iconUrl": "https://cdn.example/81.png"},
        "channel": {
            "id": "82",
            "type": "GuildTextChat",
            "categoryId": "83",
            "category": "Harbour",
            "name": "nets",
            "topic": None,
        },
        "dateRange": {"after": None, "before": None},
        "exportedAt": "2026-03-05T09:00:00.0000000+00:00",
        "messages": [],
    }
    yield json.dumps(head, indent=2).removesuffix("]\n}")
    for said in chat(draw):
        message = {
            "id": str(1_000_000_000_000_000_000 + said.number * 1_048_576),
            "type": "Default",
            "timestamp": said.date("%Y-%m-%dT%H:%M:%S.123+00:00"),
            "timestampEdited": None,
            "callEndedTimestamp": None,
            "isPinned": False,
            "content": said.text,
            "author": _discords_author(said.who),
            "attachments": [],
            "embeds": [],
            "stickers": [],
            "reactions": [_discords_reaction()] if said.number % 10 == 0 else [],
            "mentions": [_discords_author(ADA)] if said.number % 10 == 5 else [],
            "inlineEmojis": [],
        }
        yield (",\n    " if said.number else "\n    ") + json.dumps(message, indent=2).replace("\n", "\n    ")


def _discords_author(who: str) -> dict[str, Any]:
    number = "185504812874465281" if who == ADA else "185504812874465282"
    role = {"id": "980964075464978482", "name": "Net menders", "color": "#F1C40F", "position": 6}
    return {
        "id": number,
        "name": who.lower().replace(" ", "."),
        "discriminator": "0000",
        "nickname": who,
        "color": "#F1C40F",
        "isBot": False,
        "roles": [role],
        "avatarUrl": f"https://cdn.example/avatars/{number}/e18812bcfe00a393188d53182631aa14.png?size=512",
    }


def _discords_reaction() -> dict[str, Any]:
    emoji = {
        "id": "",
        "name": "👍",
        "code": "thumbsup",
        "isAnimated": False,
        "imageUrl": "https://cdn.example/1f44d.svg",
    }
    return {"emoji": emoji, "count": 1, "users": [_discords_author(ANNA)]}


def google_chat(draw: random.Random) -> Iterator[str]:
    yield '{\n  "messages": ['
    for said in chat(draw):
        name, date = uuid(draw)[:11], said.date("%A, %B %d, %Y at %I:%M:%S\u202f%p UTC").replace(" 0", " ")
        message = {
            "creator": {
                "name": said.who,
                "email": f"{said.who.split()[0].lower()}@example.org",
                "user_type": "Human",
            },
            "created_date": date,
            "text": said.text,
            "topic_id": name,
            "message_id": f"pQrStUAAAAE/{name}/{name}",
        }
        yield (",\n    " if said.number else "\n    ") + json.dumps(message, indent=2).replace("\n", "\n    ")


def day_one(draw: random.Random) -> Iterator[str]:
    """One or two entries a day, written as Apple's JSON writer does."""
    yield '{\n  "metadata" : {\n    "version" : "1.0"\n  },\n  "entries" : ['
    when = BEGIN
    for number in count():
        when += draw.choice((20_000, 60_000, 90_000))
        words = text(draw, draw.choice((12, 40, 100, 250)))
        entry = _entry(Said(number, True, words, when), uuid(draw).replace("-", "").upper())
        written = json.dumps(entry, indent=2, separators=(",", " : ")).replace("/", "\\/").replace("\n", "\n    ")
        yield (",\n    " if number else "\n    ") + written


def _entry(said: Said, name: str) -> dict[str, Any]:
    now = said.date("%Y-%m-%dT%H:%M:%SZ")
    made = {"platform": "com.bloombuilt.dayone-ios", "version": 1530}
    rich = {"meta": {"version": 1, "small-lines-removed": True, "created": made}, "contents": [{"text": said.text}]}
    place = {"longitude": 10.757933, "latitude": 59.911491}
    return {
        "creationOSVersion": "17.4",
        "creationDevice": "Ada's telephone",
        "creationDeviceModel": "iPhone14,5",
        "creationDeviceType": "iPhone",
        "creationOSName": "iOS",
        "creationDate": now,
        "modifiedDate": now,
        "uuid": name,
        "timeZone": "Europe/Oslo",
        "starred": False,
        "isPinned": False,
        "isAllDay": False,
        "duration": 0,
        "editingTime": 63.553035974502563,
        "userActivity": {"activityName": "Stationary", "stepCount": 4211},
        "location": {
            "region": {"center": place, "identifier": "<+59.91149100,+10.75793300> radius 141.69", "radius": 141.69},
            "localityName": "Oslo",
            "country": "Norway",
            "timeZoneName": "Europe/Oslo",
            "administrativeArea": "Oslo",
            "placeName": "Harbour 7",
            **place,
        },
        "weather": {
            "sunsetDate": now,
            "sunriseDate": now,
            "temperatureCelsius": 12,
            "weatherServiceName": "WeatherKit",
            "windBearing": 90,
            "conditionsDescription": "Mostly Clear",
            "pressureMB": 1017,
            "visibilityKM": 48.280200958251953,
            "relativeHumidity": 72,
            "windSpeedKPH": 11,
            "weatherCode": "clear-night",
            "windChillCelsius": 12.199999809265137,
        },
        "text": said.text.replace(".", "\\."),
        "richText": json.dumps(rich, separators=(",", ":")),
        "tags": ["boat", "weather"],
    }


def signal(draw: random.Random) -> Iterator[str]:
    """Signal Desktop, a frame a line."""
    contact = {"aci": "q83vEjRWeJCrze8SNFZ4kA==", "e164": "4712345678", "profileGivenName": "Anna"}
    yield '{"version":"1","backupTimeMs":"1772700000000"}\n{"recipient":{"id":"1","self":{}}}\n'
    yield json.dumps({"recipient": {"id": "2", "contact": contact}}) + '\n{"chat":{"id":"9","recipientId":"2"}}\n'
    for said in chat(draw):
        now = str(said.when * 1000)
        sent = {"recipientId": "2", "timestamp": now, "read": {"sealedSender": True}}
        received = {"dateReceived": now, "dateServerSent": now, "read": True, "sealedSender": True}
        liked = {"emoji": "👍", "authorId": "1", "sentTimestamp": now, "sortOrder": "1"}
        item: dict[str, Any] = {
            "chatId": "9",
            "authorId": "1" if said.mine else "2",
            "dateSent": now,
            "expireStartDate": "0",
            "expiresInMs": "0",
            "revisions": [],
            "sms": False,
            **({"outgoing": {"sendStatus": [sent]}} if said.mine else {"incoming": received}),
            "standardMessage": {
                "text": {"body": said.text, "bodyRanges": []},
                "attachments": [],
                "linkPreview": [],
                "reactions": [liked] if said.number % 10 == 0 else [],
            },
        }
        yield json.dumps({"chatItem": item}, ensure_ascii=False, separators=(",", ":")) + "\n"


def jsonl(draw: random.Random) -> Iterator[str]:
    for said in chat(draw):
        yield json.dumps({"time": said.date("%Y-%m-%dT%H:%M:%SZ"), "who": said.who, "text": said.text}) + "\n"


def slack(folder: Path, size: int) -> None:
    """Write a direct conversation, a file a day."""
    users = [
        {"id": "U1", "name": "ada", "profile": {"real_name": ADA, "email": "ada@example.org"}},
        {"id": "U2", "name": "anna", "profile": {"real_name": ANNA, "email": "anna@example.org"}},
    ]
    (folder / "D1").mkdir(parents=True)
    (folder / "users.json").write_text(json.dumps(users, indent=4))
    (folder / "dms.json").write_text(json.dumps([{"id": "D1", "created": BEGIN, "members": ["U1", "U2"]}], indent=4))
    draw = random.Random(7)
    for day, said in groupby(chat(draw), key=lambda s: s.date("%Y-%m-%d")):
        content = json.dumps([_slacks(draw, s) for s in said], indent=4).replace("/", "\\/")
        (folder / "D1" / f"{day}.json").write_text(content)
        size -= len(content)
        if size < 0:
            return


def _slacks(draw: random.Random, said: Said) -> dict[str, Any]:
    user, hashed = ("U1", "aaaa11112222") if said.mine else ("U2", "bbbb33334444")
    line = {"type": "rich_text_section", "elements": [{"type": "text", "text": said.text}]}
    message = {
        "user": user,
        "type": "message",
        "ts": f"{said.when}.{said.number % 1_000_000:06}",
        "client_msg_id": uuid(draw),
        "text": said.text,
        "team": "T1",
        "user_team": "T1",
        "source_team": "T1",
        "user_profile": {
            "avatar_hash": hashed,
            "image_72": f"https://avatars.example/2024-03-05/{hashed}_72.png",
            "first_name": said.who.split()[0],
            "real_name": said.who,
            "display_name": said.who.split()[0].lower(),
            "team": "T1",
            "name": said.who.split()[0].lower(),
            "is_restricted": False,
            "is_ultra_restricted": False,
        },
        "blocks": [{"type": "rich_text", "block_id": hashed[:5], "elements": [line]}],
    }
    if said.number % 10 == 0:
        message["reactions"] = [{"name": "+1", "users": ["U1"], "count": 1}]
    return message


#: So many messages Meta puts into a file.
METAS_FILE = 10_000


def facebook(folder: Path, size: int) -> None:
    """Write a conversation in files of ten thousand messages, the newest first."""
    place = folder / "your_facebook_activity/messages/inbox/annaberg_17"
    place.mkdir(parents=True)
    said = chat(random.Random(7))
    written: list[Path] = []
    while size > 0:
        part = [_metas(s) for s in islice(said, min(METAS_FILE, size // 200 + 1))]
        whole = {
            "participants": [{"name": ADA}, {"name": ANNA}],
            "messages": part[::-1],
            "title": ANNA,
            "is_still_participant": True,
            "thread_path": "inbox/annaberg_17",
            "magic_words": [],
        }
        content = json.dumps(whole, indent=2)
        written.append(place / f"part-{len(written)}")
        written[-1].write_text(content)
        size -= len(content)
    for number, path in enumerate(reversed(written), start=1):
        path.rename(place / f"message_{number}.json")


def _metas(said: Said) -> dict[str, Any]:
    message = {
        "sender_name": said.who,
        "timestamp_ms": said.when * 1000,
        "content": said.text.encode().decode("latin-1"),
        "is_geoblocked_for_viewer": False,
        "is_unsent_image_by_messenger_kid_parent": False,
    }
    if said.number % 10 == 0:
        message["reactions"] = [{"reaction": "👍".encode().decode("latin-1"), "actor": ADA, "timestamp": said.when}]
    return message


#: Source: (name of its file, what is in it, what closes it).
STREAMED: dict[str, tuple[str, Callable[[random.Random], Iterable[str]], str]] = {
    "chatgpt": ("conversations.json", chatgpt, "]"),
    "telegram": ("result.json", telegram, "]}]}}"),
    "claude": ("conversations.json", claude, "]"),
    "discord": ("nets.json", discord, '\n  ],\n  "messageCount": 1\n}'),
    "signal": ("main.jsonl", signal, ""),
    "google-chat": ("Takeout/Google Chat/Groups/DM abc/messages.json", google_chat, "\n  ]\n}"),
    "day-one": ("Journal.json", day_one, "\n  ]\n}"),
    "plain": ("chat.jsonl", jsonl, ""),
}
FOLDERS: dict[str, Callable[[Path, int], None]] = {"slack": slack, "facebook": facebook}
SOURCES = [*STREAMED, *FOLDERS]


def write(source: str, folder: Path, size: int) -> Path:
    """Write an export of about so many bytes below a folder, and return the folder."""
    if source in FOLDERS:
        FOLDERS[source](folder, size)
        return folder
    name, pieces, end = STREAMED[source]
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as file:
        for piece in pieces(random.Random(7)):
            file.write(piece)
            if file.tell() > size:
                break
        file.write(end)
    if source == "google-chat":
        owner = folder / "Takeout/Google Chat/Users/User 1/user_info.json"
        owner.parent.mkdir(parents=True)
        owner.write_text(json.dumps({"user": {"name": ADA, "email": "ada@example.org", "user_type": "Human"}}))
    return folder
