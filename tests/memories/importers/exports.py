"""Exports of one small life in the form of every source: what Ada and Anna wrote, or any stretch of it.

Each writer makes a file or folder and returns its path. Sources in which only the person speaks get Ada's part.
"""

from __future__ import annotations

import csv
import json
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import Any

BEGIN = datetime(2024, 3, 5, 9, 0, tzinfo=UTC)
ADA, ANNA = "Ada Lunde", "Anna Berg"


@dataclass(frozen=True)
class Said:
    number: int
    mine: bool
    text: str

    @property
    def when(self) -> datetime:
        """Six messages a day, some minutes apart."""
        return BEGIN + timedelta(days=self.number // 6, minutes=7 * (self.number % 6))

    @property
    def who(self) -> str:
        return ADA if self.mine else ANNA


_TEXTS = (
    "Is the ferry late again?",
    "Twenty minutes, and the captain blames the swans.",
    "Bring the blue kettle, would you?",
    "It leaks. I will bring soup in it anyway.",
    "Did the bees survive?",
    "Two hives did. The third is a choir of wasps now 🐝",
    "How was the concert?",
    "Loud, then louder; the tuba player slept through both.",
    "Mother asks about Sunday.",
    "Sunday I mend the net, Monday I am hers.",
    "Have you seen my glasses?",
    "On the goat, where you left them. Æsj!",
    "What did the doctor say?",
    "That my knee is older than I am.",
    "Is there any bread?",
    "Rye, burnt on one side for balance.",
    "Who won the regatta?",
    "Nobody; the fog took first prize.",
    "Shall we paint the shed?",
    "Green, if Henrik is not asked.",
    "You forgot the letter.",
    "I posted it, only not in our country.",
    "Are you asleep yet?",
    "Yes. This is my dream typing.",
)
LIFE = tuple(Said(n, n % 2 == 1, text) for n, text in enumerate(_TEXTS))
Write = Callable[[Path, Sequence[Said]], Path]


def _days(life: Sequence[Said]) -> list[tuple[str, list[Said]]]:
    return [(day, list(said)) for day, said in groupby(life, key=lambda s: s.when.date().isoformat())]


def _json(path: Path, value: Any, indent: int | None = None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, indent=indent, ensure_ascii=False), encoding="utf-8")
    return path


def chatgpt(folder: Path, life: Sequence[Said]) -> Path:
    conversations = []
    for day, said in _days(life):
        mapping: dict[str, Any] = {f"root-{day}": {"id": f"root-{day}", "message": None, "parent": None}}
        before = f"root-{day}"
        for s in said:
            message = {
                "id": f"m{s.number}",
                "author": {"role": "user" if s.mine else "assistant"},
                "create_time": s.when.timestamp(),
                "content": {"content_type": "text", "parts": [s.text]},
                "recipient": "all",
                "weight": 1.0,
            }
            mapping[f"m{s.number}"] = {"id": f"m{s.number}", "message": message, "parent": before}
            before = f"m{s.number}"
        conversations.append({"title": day, "id": day, "mapping": mapping, "current_node": before})
    _json(folder / "conversations.json", conversations)
    return folder


def claude(folder: Path, life: Sequence[Said]) -> Path:
    conversations = [
        {
            "uuid": day,
            "name": "",
            "chat_messages": [
                {
                    "uuid": f"m{s.number}",
                    "sender": "human" if s.mine else "assistant",
                    "text": "[unsupported]",
                    "content": [{"type": "text", "text": s.text}],
                    "created_at": s.when.isoformat().replace("+00:00", ".000001Z"),
                }
                for s in said
            ],
        }
        for day, said in _days(life)
    ]
    _json(folder / "conversations.json", conversations)
    return folder


def telegram(folder: Path, life: Sequence[Said]) -> Path:
    messages = [
        {
            "id": s.number,
            "type": "message",
            "date": "2001-01-01T00:00:00",
            "date_unixtime": str(int(s.when.timestamp())),
            "from": s.who,
            "from_id": "user1" if s.mine else "user2",
            "text": s.text,
            "text_entities": [{"type": "plain", "text": s.text}],
        }
        for s in life
    ]
    chats = {"about": "", "list": [{"name": ANNA, "type": "personal_chat", "id": 7, "messages": messages}]}
    about = {"about": "…", "personal_information": {"user_id": 1, "first_name": "Ada"}, "chats": chats}
    _json(folder / "result.json", about, indent=1)
    return folder


def whatsapp(folder: Path, life: Sequence[Said]) -> Path:
    lines = [f"{s.when:%d.%m.%y, %H:%M} - {s.who}: {s.text}\n" for s in life]
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"WhatsApp Chat mit {ANNA}.txt"
    path.write_text("".join(lines), encoding="utf-8")
    return path


def discord(folder: Path, life: Sequence[Said]) -> Path:
    messages = [
        {
            "id": str(1000 + s.number),
            "type": "Default",
            "timestamp": s.when.isoformat(),
            "content": s.text,
            "author": {"id": "1" if s.mine else "2", "name": s.who.lower(), "nickname": s.who, "isBot": False},
        }
        for s in life
    ]
    channel = {"id": "5", "type": "DirectTextChat", "name": ANNA}
    return _json(folder / "chat.json", {"guild": {"id": "0"}, "channel": channel, "messages": messages}, indent=2)


def discord_package(folder: Path, life: Sequence[Said]) -> Path:
    rows = [
        {"ID": 1000 + s.number, "Timestamp": f"{s.when:%Y-%m-%d %H:%M:%S}", "Contents": s.text, "Attachments": ""}
        for s in reversed(life)
        if s.mine
    ]
    _json(folder / "Messages" / "index.json", {"5": f"Direct Message with {ANNA}"})
    _json(folder / "Messages" / "c5" / "messages.json", rows)
    return folder


def slack(folder: Path, life: Sequence[Said]) -> Path:
    users = [
        {"id": "U1", "name": "ada", "profile": {"real_name": ADA, "email": "ada@example.org"}},
        {"id": "U2", "name": "anna", "profile": {"real_name": ANNA}},
    ]
    _json(folder / "users.json", users)
    _json(folder / "dms.json", [{"id": "D1", "members": ["U1", "U2"]}])
    for day, said in _days(life):
        messages = [
            {"type": "message", "user": "U1" if s.mine else "U2", "text": s.text, "ts": f"{s.when.timestamp():.6f}"}
            for s in said
        ]
        _json(folder / "D1" / f"{day}.json", messages)
    return folder


def signal(folder: Path, life: Sequence[Said]) -> Path:
    frames: list[dict[str, Any]] = [
        {"version": "1", "backupTimeMs": "1"},
        {"recipient": {"id": "1", "self": {}}},
        {"recipient": {"id": "2", "contact": {"profileGivenName": "Anna", "profileFamilyName": "Berg"}}},
        {"chat": {"id": "9", "recipientId": "2"}},
    ]
    for s in life:
        item = {
            "chatId": "9",
            "authorId": "1" if s.mine else "2",
            "dateSent": str(int(s.when.timestamp() * 1000)),
            "standardMessage": {"text": {"body": s.text}},
        }
        frames.append({"chatItem": item})
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "main.jsonl").write_text("".join(json.dumps(f) + "\n" for f in frames), encoding="utf-8")
    return folder


def signal_export(folder: Path, life: Sequence[Said]) -> Path:
    path = folder / ANNA / "data.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [{"date": s.when.isoformat(), "sender": "Me" if s.mine else ANNA, "body": s.text} for s in life]
    path.write_text("".join(json.dumps(r) + "\n" for r in rows), encoding="utf-8")
    return folder


def imessage(folder: Path, life: Sequence[Said]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    blocks = [
        f"{s.when:%b %d, %Y} {int(f'{s.when:%I}'):2}:{s.when:%M:%S %p} (Read by you after 5 seconds)\n"
        f"{'Me' if s.mine else ANNA}\n{s.text}\n\n"
        for s in life
    ]
    (folder / f"{ANNA}.txt").write_text("".join(blocks), encoding="utf-8")
    return folder


def chat_db(folder: Path, life: Sequence[Said]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "chat.db"
    path.unlink(missing_ok=True)
    database = sqlite3.connect(path)
    database.executescript(
        "CREATE TABLE message (ROWID INTEGER PRIMARY KEY, guid TEXT, text TEXT, attributedBody BLOB, date INTEGER,"
        " is_from_me INTEGER, handle_id INTEGER, item_type INTEGER, associated_message_type INTEGER);"
        "CREATE TABLE handle (ROWID INTEGER PRIMARY KEY, id TEXT);"
        "CREATE TABLE chat (ROWID INTEGER PRIMARY KEY, guid TEXT, display_name TEXT, chat_identifier TEXT);"
        "CREATE TABLE chat_message_join (chat_id INTEGER, message_id INTEGER);"
        "INSERT INTO handle VALUES (1, '+4712345678'); INSERT INTO chat VALUES (1, 'iMessage;-;+47', NULL, '+47');"
    )
    for s in life:
        date = int((s.when.timestamp() - 978307200) * 1_000_000_000)
        body = None if s.number % 3 else typedstream(s.text)
        row = (s.number, f"guid-{s.number}", None if body else s.text, body, date, s.mine, 1, 0, 0)
        database.execute("INSERT INTO message VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
        database.execute("INSERT INTO chat_message_join VALUES (1, ?)", (s.number,))
    database.commit()
    database.close()
    return folder


def typedstream(text: str) -> bytes:
    """Write the beginning of an NSAttributedString as macOS archives it."""
    raw = text.encode()
    length = bytes([len(raw)]) if len(raw) < 128 else b"\x81" + len(raw).to_bytes(2, "little")
    return (
        b"\x04\x0bstreamtyped\x81\xe8\x03\x84\x01@\x84\x84\x84\x08NSString\x01\x94\x84\x01+"
        + length
        + raw
        + b"\x86\x84"
    )


def facebook(folder: Path, life: Sequence[Said]) -> Path:
    def torn(text: str) -> str:
        return text.encode().decode("latin-1")

    place = folder / "your_activity_across_facebook/messages/inbox/annaberg_17"
    half = len(life) // 2
    for number, part in enumerate((life[half:], life[:half]), start=1):
        messages = [
            {"sender_name": torn(s.who), "timestamp_ms": int(s.when.timestamp() * 1000), "content": torn(s.text)}
            for s in reversed(part)
        ]
        whole = {"participants": [{"name": ADA}, {"name": ANNA}], "messages": messages, "title": ANNA}
        path = place / f"message_{number}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(whole, indent=2))
    return folder


def google_chat(folder: Path, life: Sequence[Said]) -> Path:
    owner = {"user": {"name": ADA, "email": "ada@example.org", "user_type": "Human"}}
    _json(folder / "Takeout/Google Chat/Users/User 1/user_info.json", owner)
    messages = [
        {
            "creator": {"name": s.who, "email": f"{s.who.split()[0].lower()}@example.org", "user_type": "Human"},
            "created_date": f"{s.when:%A, %B} {s.when.day}, {s.when.year} at "
            f"{int(f'{s.when:%I}')}:{s.when:%M:%S}\u202f{s.when:%p} UTC",
            "text": s.text,
            "message_id": f"x/{s.number}",
        }
        for s in life
    ]
    _json(folder / "Takeout/Google Chat/Groups/DM abc/messages.json", {"messages": messages})
    return folder


def mbox(folder: Path, life: Sequence[Said]) -> Path:
    mails = []
    for s in life:
        answered = f"In-Reply-To: <m{s.number - 1}@example.org>\n" if s.mine else ""
        mails.append(
            f"From MAILER Tue Mar  5 09:00:00 2024\n"
            f"From: {s.who} <{s.who.split()[0].lower()}@example.org>\n"
            f"Message-ID: <m{s.number}@example.org>\n{answered}"
            f"Date: {s.when:%d %b %Y %H:%M:%S} +0000\nSubject: Re: life\n"
            'Content-Type: text/plain; charset="utf-8"\nContent-Transfer-Encoding: 8bit\n\n'
            f"{s.text}\n\n-- \nsignature\n\n"
        )
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "all.mbox").write_text("".join(mails), encoding="utf-8")
    return folder


def markdown(folder: Path, life: Sequence[Said]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for day, said in _days(life):
        own = "\n\n".join(s.text for s in said if s.mine)
        (folder / f"{day}.md").write_text(f"---\ntags: [daily]\n---\n# {day[8:]}\n\n{own}\n", encoding="utf-8")
    return folder


def day_one(folder: Path, life: Sequence[Said]) -> Path:
    entries = [
        {"uuid": f"E{s.number}", "creationDate": f"{s.when:%Y-%m-%dT%H:%M:%SZ}", "text": s.text.replace(".", "\\.")}
        for s in life
        if s.mine
    ]
    return _json(folder / "Journal.json", {"metadata": {"version": "1.0"}, "entries": entries})


def metahuman(folder: Path, life: Sequence[Said]) -> Path:
    """An event for each answer, as MetaHuman OS' graphs capture it; one without what it answers, as captured alone."""
    told = {s.number: s for s in life}
    for answer in {s.number | 1 for s in life}:
        asked, answered = told.get(answer - 1), told.get(answer)
        content = answered.text if answered else f'Me: "{asked.text if asked else ""}"'
        if asked and answered:
            content = f"User: {asked.text}\n\nAssistant: {answered.text}"
        when = (answered or told[answer - 1]).when
        event = {"id": f"evt-{answer}", "timestamp": when.isoformat(), "content": content, "type": "conversation"}
        day = folder / f"profiles/ada/memory/episodic/{when:%Y/%m/%d}"
        _json(day / f"evt-{answer}.json", {**event, "tags": [], "metadata": {"cognitiveMode": "dual"}}, indent=2)
    return folder


def gemini(folder: Path, life: Sequence[Said]) -> Path:
    """Write what Ada asks and Anna answers, newest first; who answers is the machine."""
    header = {"header": "Gemini Apps", "products": ["Gemini Apps"]}
    records: list[dict[str, Any]] = []
    for said in life:
        if said.mine:
            time = said.when.isoformat().replace("+00:00", "Z")
            records.insert(0, {**header, "title": f"Prompted {said.text}", "time": time})
        elif records:
            records[0].setdefault("safeHtmlItem", [{"html": f"<p>{said.text}</p>"}])
    return _json(folder / "My Activity/Gemini Apps/MyActivity.json", records)


def linkedin(folder: Path, life: Sequence[Said]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "messages.csv").open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(
            ["CONVERSATION ID", "CONVERSATION TITLE", "FROM", "SENDER PROFILE URL", "DATE", "CONTENT", "FOLDER"]
        )
        for s in reversed(life):
            rows.writerow(["c1", "", s.who, f"https://l/{s.who}", f"{s.when:%Y-%m-%d %H:%M:%S} UTC", s.text, "INBOX"])
    return folder


def teams(folder: Path, life: Sequence[Said]) -> Path:
    messages = [
        {
            "id": str(s.number),
            "displayName": s.who,
            "originalarrivaltime": s.when.isoformat(),
            "messagetype": "RichText",
            "content": s.text,
            "from": "8:live:ada" if s.mine else "8:live:anna",
        }
        for s in reversed(life)
    ]
    conversation = {"id": "8:live:anna", "displayName": ANNA, "threadProperties": None, "MessageList": messages}
    return _json(folder / "messages.json", {"userId": "8:live:ada", "conversations": [conversation]})


def wechat(folder: Path, life: Sequence[Said]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "Anna_0_5000.csv").open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["id", "MsgSvrID", "type_name", "is_sender", "talker", "msg", "src", "CreateTime"])
        for s in life:
            rows.writerow([s.number, 1000 + s.number, "文本", int(s.mine), s.who, s.text, "", s.when.isoformat()])
    return folder


def jsonl(folder: Path, life: Sequence[Said]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    rows = [{"time": s.when.isoformat(), "who": s.who, "text": s.text} for s in life]
    (folder / "chat.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows), encoding="utf-8")
    return folder


def table(folder: Path, life: Sequence[Said]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "chat.csv").open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, delimiter=";")
        rows.writerow(["Timestamp", "Author", "Body"])
        rows.writerows([s.when.isoformat(), s.who, s.text] for s in life)
    return folder


#: Every form that is read: (name of the source, how it is written, whether the person must say who they are).
FORMS: dict[str, tuple[str, Write, bool]] = {
    "chatgpt": ("chatgpt", chatgpt, False),
    "claude": ("claude", claude, False),
    "telegram": ("telegram", telegram, False),
    "whatsapp": ("whatsapp", whatsapp, True),
    "discord": ("discord", discord, True),
    "discord package": ("discord", discord_package, False),
    "slack": ("slack", slack, True),
    "signal": ("signal", signal, False),
    "signal-export": ("signal", signal_export, False),
    "imessage": ("imessage", imessage, False),
    "chat.db": ("imessage", chat_db, False),
    "facebook": ("facebook", facebook, True),
    "google-chat": ("google-chat", google_chat, False),
    "gemini": ("gemini", gemini, False),
    "linkedin": ("linkedin", linkedin, True),
    "teams": ("teams", teams, False),
    "wechat": ("wechat", wechat, False),
    "mbox": ("mbox", mbox, True),
    "markdown": ("markdown", markdown, False),
    "day-one": ("day-one", day_one, False),
    "metahuman": ("metahuman", metahuman, False),
    "jsonl": ("plain", jsonl, True),
    "csv": ("plain", table, True),
}
