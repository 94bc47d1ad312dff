"""What curation writes: samples (curated_memories.json) and the fate of each memory (ledger.jsonl)."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

from idiolect.config import Mode


class Message(msgspec.Struct, frozen=True):
    """One turn, in the words of chat templates: the person whose idiolect is learned is the assistant."""

    role: Literal["system", "user", "assistant"]
    content: str


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """Where a sample comes from."""

    memory: str
    type: str
    timestamp: datetime | None
    conversation: str | None
    mode_from: str
    prompt_from: Literal["memory", "invented"]


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """One talk that ends in the person's own words; user and assistant take turns, user first."""

    id: str
    mode: Mode
    messages: tuple[Message, ...]
    source: Source

    @property
    def own_words(self) -> str:
        """All that the person says in it."""
        return "\n".join(m.content for m in self.messages if m.role == "assistant")


class Prepared(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a single memory file comes to, whatever stands in the others: a sample, or the rule that drops it."""

    memory: str
    sample: Sample | None = None
    rule: str = ""
    detail: str = ""
    event_id: str = ""
    rejects: str | None = None
    masked: dict[str, int] = {}
    filler: bool = False


class Fate(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What became of one memory file: learned from, held out, or dropped by a rule; what was taken out of it."""

    memory: str
    fate: Literal["kept", "train", "held_out", "dropped"]
    sample: str = ""
    rule: str = ""
    detail: str = ""
    masked: dict[str, int] = {}
    filler: bool = False
