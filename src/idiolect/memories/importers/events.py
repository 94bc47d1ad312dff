"""Talks as MetaHuman OS events: what is in the file of a memory, and what the file is called.

Format: MetaHuman OS, packages/core/src/memory.ts. Its `messages` and `response` are where the person speaks: role
`assistant` is the person whose idiolect is learned, `user` whoever they talk to.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import tzinfo
from functools import cached_property
from typing import Any

from idiolect.memories.importers.conversations import Others
from idiolect.memories.importers.pseudonyms import Mask
from idiolect.memories.importers.talks import Talk
from idiolect.memories.importers.times import iso, moment

#: Leaves the digits of a date.
_DIGITS = str.maketrans("", "", "-:TZ")
_WORDS = re.compile(r"[a-z0-9]+")


@dataclass(frozen=True)
class Writing:
    """What all memories of an import have in common."""

    source: str
    person: str
    zone: tzinfo | None
    others: Others = "keep"
    names: Mapping[str, str] | None = None
    """Pseudonyms for parts of names."""

    @cached_property
    def mask(self) -> Callable[[str], str]:
        return Mask(self.names).text if self.names is not None else str

    def event(self, talk: Talk) -> tuple[str, dict[str, Any]]:
        """Return the path of a memory below the source's folder, and its event. Both follow from the export alone."""
        when = talk.when
        day = moment(when, self.zone) if when is not None else None
        timestamp = iso(when) if when is not None else None
        stamp = timestamp.translate(_DIGITS) if timestamp else "0" * 14
        identity = f"evt-{stamp}-{self._digest(talk, talk.name)}"
        words = self._words(talk)
        folder = f"{day.year:04}/{day.month:02}/{day.day:02}" if day else "undated"
        event = {
            "id": identity,
            "timestamp": timestamp,
            "type": talk.thread.type,
            **words,
            "entities": [] if self.others == "drop" else [self.mask(p.name) for p in talk.people if p.name],
            "tags": ["imported", self.source, *talk.thread.tags],
            "importance": 0.5,
            "links": [],
            "userId": self.person,
            "metadata": {
                "conversationId": self._digest(talk, talk.part),
                **self._title(talk),
                **({"cognitiveMode": talk.thread.mode} if talk.thread.mode else {}),
            },
        }
        return f"{folder}/{identity}-{_slug(words['content'])}.json", event

    def _words(self, talk: Talk) -> dict[str, Any]:
        texts = [self.mask(t.text) for t in talk.turns]
        match [t.mine for t in talk.turns]:
            case [True]:
                return {"content": texts[0]}
            case [False, True]:
                return {"content": texts[0], "response": texts[1]}
        said = [
            {"role": "assistant" if t.mine else "user", "content": text}
            for t, text in zip(talk.turns, texts, strict=True)
        ]
        return {"content": texts[0], "messages": said}

    def _title(self, talk: Talk) -> dict[str, str]:
        if not talk.thread.title or (self.others == "drop" and talk.thread.type == "chat"):
            return {}
        return {"title": self.mask(talk.thread.title)}

    def _digest(self, talk: Talk, name: str) -> str:
        whole = f"{self.source}\0{talk.thread.key}\0{name}".encode("utf-8", "surrogatepass")
        return hashlib.blake2b(whole, digest_size=6).hexdigest()


def _slug(text: str) -> str:
    return "-".join(_WORDS.findall(text[:80].lower()))[:50] or "event"
