"""What curation writes: samples (curated_memories.json) and the fate of each memory (ledger.jsonl)."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

from idiolect.config import Mode

# gc=False: none of these can be part of a cycle, and a hundred thousand of them need not be looked through for one.


class Message(msgspec.Struct, frozen=True, gc=False):
    """One turn, in the words of chat templates: the person whose idiolect is learned is the assistant."""

    role: Literal["system", "user", "assistant"]
    content: str


class Source(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Where a sample comes from."""

    memory: str
    type: str
    timestamp: datetime | None
    conversation: str | None
    mode_from: str
    prompt_from: Literal["memory", "invented", "by hand"]


class Sample(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One talk that ends in the person's own words; user and assistant take turns, user first."""

    id: str
    mode: Mode
    messages: tuple[Message, ...]
    source: Source

    @property
    def own_words(self) -> str:
        """All that the person says in it."""
        return "\n".join([m.content for m in self.messages if m.role == "assistant"])


class Fate(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """What became of one memory file: learned from, held out, or dropped by a rule; what was taken out of it."""

    memory: str
    fate: Literal["kept", "train", "held_out", "dropped"]
    sample: str = ""
    rule: str = ""
    detail: str = ""
    masked: dict[str, int] = {}
    filler: bool = False
    texts: int = 1
    """How many training texts its sample became: more than one where replies do not share one."""


class Question(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What ties a question that was put to the person to its answer, where these are two memories."""

    id: str
    text: str = ""
    """How it is to be asked; nothing, of the answer."""


class Prepared(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a single memory file comes to, whatever stands in the others: a sample, or the fate of being dropped."""

    fate: Fate
    sample: Sample | None = None
    event_id: str = ""
    rejects: str | None = None
    by_hand: bool = False
    """The person wants it, whatever judges it."""
    inner_life: bool = False
    """It may be thinned out: MetaHuman OS dreams such up between conversations."""
    question: Question | None = None


class Sketch(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What a text is told from others by: a digest of its words, and a byte of each MinHash of its word pairs."""

    words: bytes = b""
    hashes: bytes = b""


class Draft(msgspec.Struct, frozen=True, kw_only=True, array_like=True, gc=False):
    """A prepared memory as it is remembered: what is decided by, and the sample as curated_memories.json has it."""

    fate: Fate
    event_id: str = ""
    rejects: str | None = None
    mode: Mode = "emulation"
    timestamp: datetime | None = None
    sketch: Sketch = Sketch()
    sample: bytes = b""
    by_hand: bool = False
    inner_life: bool = False
    question: Question | None = None
