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
    gemini,
    google_chat,
    imessage,
    khoj,
    linkedin,
    lm_studio,
    markdown,
    mbox,
    metahuman_profile,
    open_webui,
    openai_chat,
    plain,
    reddit,
    signal,
    slack,
    teams,
    telegram,
    wechat,
    whatsapp,
    x,
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
    "gemini": Source("Gemini", gemini.found, gemini.read),
    "whatsapp": Source("WhatsApp", whatsapp.found, whatsapp.read),
    "telegram": Source("Telegram", telegram.found, telegram.read),
    "discord": Source("Discord", discord.found, discord.read),
    "slack": Source("Slack", slack.found, slack.read),
    "signal": Source("Signal", signal.found, signal.read),
    "imessage": Source("iMessage", imessage.found, imessage.read),
    "facebook": Source("Facebook Messenger or Instagram", facebook.found, facebook.read),
    "google-chat": Source("Google Chat", google_chat.found, google_chat.read),
    "teams": Source("Microsoft Teams or Skype", teams.found, teams.read),
    "linkedin": Source("LinkedIn", linkedin.found, linkedin.read),
    "x": Source("X (Twitter)", x.found, x.read),
    "reddit": Source("Reddit", reddit.found, reddit.read),
    "wechat": Source("WeChat or QQ", wechat.found, wechat.read),
    "openai-chat": Source("OpenAI-style chat (JSONL)", openai_chat.found, openai_chat.read),
    "lm-studio": Source("LM Studio", lm_studio.found, lm_studio.read),
    "open-webui": Source("Open WebUI", open_webui.found, open_webui.read),
    "khoj": Source("Khoj", khoj.found, khoj.read),
    "mbox": Source("mbox", mbox.found, mbox.read),
    "markdown": Source("Markdown journals", markdown.found, markdown.read),
    "day-one": Source("Day One", day_one.found, day_one.read),
    "metahuman": Source("a MetaHuman OS checkout or profile", metahuman_profile.found, metahuman_profile.read),
    "plain": Source("plain table (JSONL, CSV)", plain.found, plain.read),
}
