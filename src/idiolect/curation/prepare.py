"""One memory → one sample, or the rule by which it is dropped. Nothing here looks at other memories."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from idiolect.config import CurationRules
from idiolect.curation.cleaning import Filler, clean, compiled, has_filler
from idiolect.curation.length import cut, word_limit
from idiolect.curation.modes import mode_of
from idiolect.curation.privacy import mask, mask_names
from idiolect.curation.prompts import invented_prompt
from idiolect.curation.sample import Message, Prepared, Sample, Source
from idiolect.memories import Memory, Turn, Unreadable


@dataclass(frozen=True)
class Preparation:
    """The rules of a person, ready to be applied a hundred thousand times."""

    rules: CurationRules
    seed: int

    @cached_property
    def fillers(self) -> list[Filler]:
        return compiled(self.rules.fillers)

    @cached_property
    def machine_written(self) -> frozenset[str]:
        return frozenset(self.rules.machine_written)

    @cached_property
    def blocked(self) -> re.Pattern[str] | None:
        words = "|".join(map(re.escape, self.rules.blocked_words))
        return re.compile(rf"\b(?:{words})\b", re.IGNORECASE) if words else None


def prepare(item: Memory | Unreadable, how: Preparation) -> Prepared:
    """Make a sample of a memory, or say why there is none."""
    if isinstance(item, Unreadable):
        return Prepared(memory=item.source, rule="unreadable", detail=item.reason)
    if rule := _not_theirs(item, how):
        return Prepared(memory=item.source, rule=rule, event_id=item.event_id, rejects=item.rejects)
    messages, masked = _messages(item, how)
    if not messages:
        return Prepared(memory=item.source, rule="nothing left after cleaning", event_id=item.event_id)
    if how.blocked and any(how.blocked.search(m.content) for m in messages):
        return Prepared(memory=item.source, rule="blocked word", event_id=item.event_id)
    mode, decided_by = mode_of(item, how.rules.modes)
    return Prepared(
        memory=item.source,
        event_id=item.event_id,
        rejects=item.rejects,
        masked=dict(masked),
        filler=any(t.speaker == "person" and has_filler(t.text, how.fillers) for t in item.turns),
        sample=Sample(
            id=sample_id(item.source),
            mode=mode,
            messages=messages,
            source=Source(
                memory=item.source,
                type=item.type,
                timestamp=item.timestamp,
                conversation=item.conversation,
                mode_from=decided_by,
                prompt_from="invented" if item.turns[0].speaker == "person" else "memory",
            ),
        ),
    )


def sample_id(memory: str) -> str:
    """Name the sample of a memory."""
    return hashlib.blake2b(memory.encode("utf-8", "surrogatepass"), digest_size=6).hexdigest()


def _not_theirs(memory: Memory, how: Preparation) -> str | None:
    """Name the rule by which nothing in this memory is the person's own, if there is one."""
    if "feedback" in memory.tags:
        return "feedback"
    folder = memory.source.partition("/")[0]
    if not how.machine_written.isdisjoint((memory.type, folder, *memory.tags)):
        return "written by a machine"
    if not any(turn.speaker == "person" for turn in memory.turns):
        return "the person says nothing in it"
    return None


def _messages(memory: Memory, how: Preparation) -> tuple[tuple[Message, ...], Counter[str]]:
    """Clean and mask what was said; each exchange of which a half was cleaned away is left out."""
    masked: Counter[str] = Counter()
    texts = []
    for turn in _until_their_last_word(memory.turns):
        text = clean(turn.text, how.fillers if turn.speaker == "person" else ())
        text, kinds = mask(mask_names(text, how.rules.mask_names))
        if how.rules.length_policy == "cut" and turn.speaker == "person":
            text = cut(text, word_limit(how.rules, memory.source, how.seed))
        masked += kinds
        texts.append(text)
    if memory.turns[0].speaker == "person":
        texts.insert(0, invented_prompt(memory.type, memory.source, how.seed))
    exchanges = [(q, a) for q, a in zip(texts[::2], texts[1::2], strict=True) if q and a]
    return tuple(m for q, a in exchanges for m in (Message("user", q), Message("assistant", a))), masked


def _until_their_last_word(turns: Sequence[Turn]) -> Sequence[Turn]:
    last = max(i for i, turn in enumerate(turns) if turn.speaker == "person")
    return turns[: last + 1]
