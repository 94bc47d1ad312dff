"""Every source, by name: how it is recognized, and how its messages are read. One file a source."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from idiolect.memories.importers.export import Export
from idiolect.memories.importers.message import Asked, Message, Unreadable
from idiolect.memories.importers.sources import chatgpt, claude, plain, telegram, whatsapp


@dataclass(frozen=True)
class Source:
    """`found` looks at names and first bytes; `read` yields the messages of each conversation together, in order."""

    title: str
    found: Callable[[Export], bool]
    read: Callable[[Export, Asked], Iterator[Message | Unreadable]]


SOURCES: dict[str, Source] = {
    "chatgpt": Source("ChatGPT", chatgpt.found, chatgpt.read),
    "claude": Source("Claude", claude.found, claude.read),
    "whatsapp": Source("WhatsApp", whatsapp.found, whatsapp.read),
    "telegram": Source("Telegram", telegram.found, telegram.read),
    "plain": Source("a plain table (JSONL, CSV)", plain.found, plain.read),
}
