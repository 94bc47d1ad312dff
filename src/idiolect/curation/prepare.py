"""One memory → one sample, or the rule by which it is dropped. Nothing here looks at other memories."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property

from idiolect.config import CurationRules
from idiolect.curation.cleaning import Filler, clean, compiled
from idiolect.curation.duplicates import sketches
from idiolect.curation.edits import DROPPED, NOTHING, ByHand, masked_by_hand, remark_on, rewritten
from idiolect.curation.length import cut, word_limit
from idiolect.curation.modes import mode_of
from idiolect.curation.privacy import mask, mask_names
from idiolect.curation.prompts import invented_prompt
from idiolect.curation.sample import Draft, Fate, Message, Prepared, Question, Sample, Source
from idiolect.files import json_record
from idiolect.memories import MachineWritten, Memory, Turn, Unreadable, is_feedback


@dataclass(frozen=True)
class Preparation:
    """The rules of a person, ready to be applied a hundred thousand times."""

    rules: CurationRules
    seed: int

    @cached_property
    def fillers(self) -> list[Filler]:
        return compiled(self.rules.fillers)

    @cached_property
    def machine_written(self) -> MachineWritten:
        return MachineWritten(self.rules.machine_written)

    @cached_property
    def inner_life(self) -> frozenset[str]:
        return frozenset(self.rules.inner_life)

    @cached_property
    def blocked(self) -> re.Pattern[str] | None:
        words = "|".join(map(re.escape, self.rules.blocked_words))
        return re.compile(rf"\b(?:{words})\b", re.IGNORECASE) if words else None


@dataclass
class _Removed:
    """What was taken out of a memory."""

    masked: dict[str, int]
    filler: bool = False


def drafts(prepared: Sequence[Prepared]) -> list[Draft]:
    """Make of prepared memories what is decided by and remembered; some hundred at a time cost least."""
    sketched = iter(sketches([p.sample.own_words for p in prepared if p.sample]))
    return [
        Draft(
            fate=p.fate,
            event_id=p.event_id,
            rejects=p.rejects,
            mode=p.sample.mode,
            timestamp=p.sample.source.timestamp,
            sketch=next(sketched),
            sample=json_record(p.sample),
            by_hand=p.by_hand,
            inner_life=p.inner_life,
            question=p.question,
        )
        if p.sample
        else Draft(fate=p.fate, event_id=p.event_id, rejects=p.rejects, question=p.question)
        for p in prepared
    ]


def prepare(item: Memory | Unreadable, how: Preparation, by_hand: ByHand = NOTHING) -> Prepared:
    """Make a sample of a memory as the person has edited it, or say why there is none."""
    if isinstance(item, Unreadable):
        return Prepared(fate=dropped(item.source, "unreadable", item.reason))
    if by_hand.drop:
        return _left_out(item, DROPPED)
    if judged := _not_theirs(item, how, kept=by_hand.keep):
        return _left_out(item, *judged, question=Question(item.asks, _question(item, how)) if item.asks else None)
    unasked = item.turns[0].speaker == "person"
    item, theirs, remark = rewritten(item, by_hand)
    asked = item.turns[0].speaker == "other"
    removed = _Removed({})
    messages = _messages(item, how, removed, theirs, by_hand.masks)
    rule = _unwanted(messages if asked else messages[1:], how, kept=by_hand.keep)
    if rule:
        return _left_out(item, rule)
    mode, decided_by = (by_hand.mode, "by hand") if by_hand.mode else mode_of(item, how.rules.modes)
    name = sample_id(item.source)
    return Prepared(
        fate=Fate(
            memory=item.source,
            fate="kept",
            sample=name,
            detail=remark_on(by_hand, theirs, remark),
            masked=removed.masked,
            filler=removed.filler,
        ),
        event_id=item.event_id,
        rejects=item.rejects,
        by_hand=by_hand.keep,
        inner_life=unasked and item.type.lower() in how.inner_life,
        question=Question(item.answers) if item.answers else None,
        sample=Sample(
            id=name,
            mode=mode,
            messages=messages,
            source=Source(
                memory=item.source,
                type=item.type,
                timestamp=item.timestamp,
                conversation=item.conversation,
                mode_from=decided_by,
                prompt_from="invented" if not asked else "by hand" if unasked else "memory",
            ),
        ),
    )


def dropped(memory: str, rule: str, detail: str = "") -> Fate:
    return Fate(memory=memory, fate="dropped", rule=rule, detail=detail)


def _left_out(memory: Memory, rule: str, detail: str = "", question: Question | None = None) -> Prepared:
    return Prepared(
        fate=dropped(memory.source, rule, detail),
        event_id=memory.event_id,
        rejects=memory.rejects,
        question=question,
    )


def _question(memory: Memory, how: Preparation) -> str:
    """Return a question as it will stand before its answer; nothing, if it must not stand anywhere."""
    text = mask_names(clean(memory.turns[0].text, ())[0], how.rules.mask_names, {})
    return "" if how.blocked and how.blocked.search(text) else mask(text, {}, how.rules.mask, how.rules.phone_region)


def sample_id(memory: str) -> str:
    """Name the sample of a memory."""
    return hashlib.blake2b(memory.encode("utf-8", "surrogatepass"), digest_size=6).hexdigest()


def _not_theirs(memory: Memory, how: Preparation, *, kept: bool) -> tuple[str, str] | None:
    """Name the rule by which nothing in this memory is the person's own, if there is one, and its detail."""
    if is_feedback(memory):
        return "feedback", ""
    if not kept and (by := how.machine_written.rule(memory)):
        return "written by a machine", by
    if not any(turn.speaker == "person" for turn in memory.turns):
        return "the person says nothing in it", ""
    return None


def _unwanted(said: Sequence[Message], how: Preparation, *, kept: bool) -> str | None:
    """Name the rule by which nothing of what was said is wanted, if there is one."""
    if not said:
        return "nothing left after cleaning"
    if how.blocked and not kept and any(how.blocked.search(m.content) for m in said):
        return "blocked word"
    return None


def _messages(
    memory: Memory, how: Preparation, removed: _Removed, by_hand: Collection[int], masks: Sequence[str]
) -> tuple[Message, ...]:
    """Clean and mask what was said; each exchange of which a half was cleaned away is left out.

    What the person wrote by hand, by its number from 0, is as long as they want it and has no fillers.
    """
    rules = how.rules
    texts = []
    unasked = memory.turns[0].speaker == "person"
    for number, turn in enumerate(_until_their_last_word(memory.turns), start=int(unasked)):
        cleaned = turn.speaker == "person" and number not in by_hand
        text, had_filler = clean(turn.text, how.fillers if cleaned else ())
        removed.filler |= had_filler
        text = mask_names(text, rules.mask_names, removed.masked)
        text = mask(text, removed.masked, rules.mask, rules.phone_region)
        if cleaned and rules.length_policy == "cut":
            text = cut(text, word_limit(rules, memory.source, how.seed))
        texts.append(masked_by_hand(text, masks, removed.masked))
    if unasked:
        texts.insert(0, invented_prompt(memory.type, memory.source, how.seed))
    exchanges = [(q, a) for q, a in zip(texts[::2], texts[1::2], strict=True) if q and a]
    return tuple([m for q, a in exchanges for m in (Message("user", q), Message("assistant", a))])


def _until_their_last_word(turns: Sequence[Turn]) -> Sequence[Turn]:
    if turns[-1].speaker == "person":
        return turns
    last = max(i for i, turn in enumerate(turns) if turn.speaker == "person")
    return turns[: last + 1]
