"""Every source, by name: how it is recognized, and how its messages are read. One file a source."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from idiolect.memories.importers.export import Export
from idiolect.memories.importers.message import Asked, Message, Remark, Unreadable
from idiolect.memories.importers.sources import (
    chatgpt,
    claude,
    day_one,
    discord,
    facebook,
    google_chat,
    imessage,
    markdown,
    mbox,
    metahuman_profile,
    plain,
    signal,
    slack,
    telegram,
    whatsapp,
)


@dataclass(frozen=True)
class Source:
    """`found` looks at names and first bytes; `read` yields the messages of each conversation together, in order."""

    title: str
    found: Callable[[Export], bool]
    read: Callable[[Export, Asked], Iterator[Message | Unreadable | Remark]]


SOURCES: dict[str, Source] = {
    "chatgpt": Source("ChatGPT", chatgpt.found, chatgpt.read),
    "claude": Source("Claude", claude.found, claude.read),
    "whatsapp": Source("WhatsApp", whatsapp.found, whatsapp.read),
    "telegram": Source("Telegram", telegram.found, telegram.read),
    "discord": Source("Discord", discord.found, discord.read),
    "slack": Source("Slack", slack.found, slack.read),
    "signal": Source("Signal", signal.found, signal.read),
    "imessage": Source("iMessage", imessage.found, imessage.read),
    "facebook": Source("Facebook Messenger or Instagram", facebook.found, facebook.read),
    "google-chat": Source("Google Chat", google_chat.found, google_chat.read),
    "mbox": Source("an mbox of mails", mbox.found, mbox.read),
    "markdown": Source("Markdown journals", markdown.found, markdown.read),
    "day-one": Source("Day One", day_one.found, day_one.read),
    "metahuman": Source("a MetaHuman OS checkout or profile", metahuman_profile.found, metahuman_profile.read),
    "plain": Source("a plain table (JSONL, CSV)", plain.found, plain.read),
}
