"""From a pile of memories to samples worth training on, and the fate of every single one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property

import msgspec

from idiolect.config import CurationRules, Options
from idiolect.curation.duplicates import repeats_among
from idiolect.curation.edits import NOTHING, Edit, by_memory
from idiolect.curation.prepare import Preparation, drafts, dropped, prepare
from idiolect.curation.sample import Draft, Fate, Message, Sample
from idiolect.curation.selection import balance, select, thin_out
from idiolect.files import json_record
from idiolect.memories import Memory, Unreadable

_sample = msgspec.json.Decoder(Sample)


@dataclass(frozen=True)
class Curation:
    """What is to be learned from, oldest first, and a fate for each memory, by name."""

    chosen: list[Draft]
    fates: list[Fate]
    selection: str = ""
    """What was left out by number and date, in words; nothing, if all was taken."""

    @cached_property
    def samples(self) -> list[Sample]:
        """The samples as such: much larger than their drafts."""
        return [_sample.decode(d.sample) for d in self.chosen]

    @property
    def masked(self) -> Counter[str]:
        """How many placeholders of each kind stand in the samples."""
        masked: Counter[str] = Counter()
        for fate in self.fates:
            if fate.masked:
                masked.update(fate.masked)
        return masked


def curate(
    found: Iterable[Memory | Unreadable],
    options: Options,
    rules: CurationRules,
    edits: Sequence[Edit] = (),
    now: datetime | None = None,
) -> Curation:
    """Make a sample of each memory that the person speaks in, each said once, as many as were asked for."""
    how, by_hand = Preparation(rules, options.seed), by_memory(edits)
    return settle(drafts([prepare(m, how, by_hand.get(m.source, NOTHING)) for m in found]), options, rules, now)


def settle(prepared: Sequence[Draft], options: Options, rules: CurationRules, now: datetime | None = None) -> Curation:
    """Decide what depends on the other memories: disapproval, mode, repeats, balance, selection, whose question it was.

    `now` is when the run began, so that it selects the same when it is resumed; without it, what the clock says.
    """
    fates = {d.fate.memory: d.fate for d in prepared}
    rejected = {d.rejects for d in prepared if d.rejects}
    wanted = []
    for d in prepared:
        if not d.sample:
            continue
        if d.event_id in rejected and not d.by_hand:
            fates[d.fate.memory] = dropped(d.fate.memory, "disapproved of")
        elif options.mode and d.mode != options.mode:
            fates[d.fate.memory] = dropped(d.fate.memory, "another mode", d.mode)
        else:
            wanted.append(d)
    twice = {f.memory: f for f in _said_before(wanted, nearly=options.dataset_builder == "curated")}
    once = [d for d in wanted if d.fate.memory not in twice] if twice else wanted
    thinned = thin_out(once, rules.inner_life_share, options.seed)
    balanced = balance(thinned, rules.balance, options.seed)
    chosen, said = select(balanced, options, now or datetime.now(UTC))
    fates |= twice
    fates |= _left_out(once, thinned, "too much inner life")
    fates |= _left_out(thinned, balanced, "too many of this mode")
    fates |= _left_out(balanced, chosen, "not selected")
    questions = {d.question.id: d.question.text for d in prepared if d.question and d.question.text}
    if questions:
        chosen = [_with_question(d, questions) for d in chosen]
    return Curation(chosen, [fates[name] for name in sorted(fates)], said)


def _with_question(draft: Draft, questions: Mapping[str, str]) -> Draft:
    """Put the question that the person answered, where one was invented because it is in another memory."""
    question = questions.get(draft.question.id) if draft.question else None
    if not question:
        return draft
    sample = _sample.decode(draft.sample)
    if sample.source.prompt_from != "invented":
        return draft
    source = msgspec.structs.replace(sample.source, prompt_from="memory")
    asked = msgspec.structs.replace(sample, messages=(Message("user", question), *sample.messages[1:]), source=source)
    return msgspec.structs.replace(draft, sample=json_record(asked))


def _left_out(before: Sequence[Draft], after: Sequence[Draft], rule: str) -> dict[str, Fate]:
    if len(before) == len(after):
        return {}
    kept = {d.fate.memory for d in after}
    return {d.fate.memory: dropped(d.fate.memory, rule) for d in before if d.fate.memory not in kept}


def _said_before(wanted: Sequence[Draft], *, nearly: bool) -> Iterator[Fate]:
    """Yield the fates of what says the same as something before it, to the letter or nearly so."""

    def text(number: int) -> str:
        return _sample.decode(wanted[number].sample).own_words

    for number, first, exactly in repeats_among([d.sketch for d in wanted], text, nearly=nearly):
        if wanted[number].by_hand:
            continue
        rule = "said before" if exactly else "nearly said before"
        yield dropped(wanted[number].fate.memory, rule, wanted[first].fate.memory)
