"""From a pile of memories to samples worth training on, and the fate of every single one."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from idiolect.config import CurationRules, Options
from idiolect.curation.cleaning import clean, compiled
from idiolect.curation.duplicates import repeats
from idiolect.curation.modes import mode_of
from idiolect.curation.privacy import mask
from idiolect.curation.prompts import invented_prompt
from idiolect.curation.sample import Fate, Message, Sample, Source
from idiolect.curation.selection import select
from idiolect.memories import Memory, Turn, Unreadable


@dataclass(frozen=True)
class Curation:
    """The samples, oldest first; a fate for each memory, by name; how many placeholders of each kind."""

    samples: list[Sample]
    fates: list[Fate]
    masked: Counter[str]


def curate(found: Iterable[Memory | Unreadable], options: Options, rules: CurationRules) -> Curation:
    """Make a sample of each memory that the person speaks in, each said once, as many as were asked for."""
    fillers = compiled(rules.fillers)
    fates: dict[str, Fate] = {}
    samples: list[Sample] = []
    masked: Counter[str] = Counter()
    for item in found:
        if isinstance(item, Unreadable):
            fates[item.source] = _dropped(item.source, "unreadable", item.reason)
        elif rule := _not_theirs(item, rules):
            fates[item.source] = _dropped(item.source, rule)
        else:
            sample, kinds = _sample(item, options, rules, fillers)
            masked += kinds
            if not sample.own_words:
                fates[item.source] = _dropped(item.source, "nothing left after cleaning")
            elif options.mode and sample.mode != options.mode:
                fates[item.source] = _dropped(item.source, "another mode", sample.mode)
            else:
                samples.append(sample)
    samples, twice = _once(samples)
    chosen = select(samples, options)
    kept = {s.id for s in chosen}
    fates |= {f.memory: f for f in twice}
    for s in samples:
        name = s.source.memory
        fates[name] = Fate(memory=name, fate="kept", sample=s.id) if s.id in kept else _dropped(name, "not selected")
    return Curation(chosen, [fates[name] for name in sorted(fates)], masked)


def _dropped(memory: str, rule: str, detail: str = "") -> Fate:
    return Fate(memory=memory, fate="dropped", rule=rule, detail=detail)


def _not_theirs(memory: Memory, rules: CurationRules) -> str | None:
    """Name the rule by which nothing in this memory is the person's own, if there is one."""
    if {memory.type, *memory.tags} & set(rules.machine_written):
        return "written by a machine"
    if not any(turn.speaker == "person" for turn in memory.turns):
        return "the person says nothing in it"
    return None


def _sample(
    memory: Memory, options: Options, rules: CurationRules, fillers: Sequence[re.Pattern[str]]
) -> tuple[Sample, Counter[str]]:
    mode, decided_by = mode_of(memory, rules.modes)
    invented = memory.turns[0].speaker == "person"
    messages: list[Message] = []
    masked: Counter[str] = Counter()
    if invented:
        messages.append(Message("user", invented_prompt(memory.type, memory.source, options.seed)))
    for turn in _until_their_last_word(memory.turns):
        text, kinds = mask(clean(turn.text, fillers if turn.speaker == "person" else ()))
        masked += kinds
        messages.append(Message("assistant" if turn.speaker == "person" else "user", text))
    return (
        Sample(
            id=hashlib.sha256(memory.source.encode("utf-8", "surrogatepass")).hexdigest()[:12],
            mode=mode,
            messages=_without_empty(messages),
            source=Source(
                memory=memory.source,
                type=memory.type,
                timestamp=memory.timestamp,
                conversation=memory.conversation,
                mode_from=decided_by,
                prompt_from="invented" if invented else "memory",
            ),
        ),
        masked,
    )


def _until_their_last_word(turns: Sequence[Turn]) -> Sequence[Turn]:
    last = max(i for i, turn in enumerate(turns) if turn.speaker == "person")
    return turns[: last + 1]


def _without_empty(messages: Sequence[Message]) -> tuple[Message, ...]:
    """Leave out each exchange of which a half was cleaned away, so that the turns still alternate."""
    pairs = zip(messages[::2], messages[1::2], strict=True)
    return tuple(m for pair in pairs if all(m.content for m in pair) for m in pair)


def _once(samples: Sequence[Sample]) -> tuple[list[Sample], list[Fate]]:
    """Leave out what says the same as an earlier sample."""
    fates = []
    again = set()
    for number, first, exactly in repeats([s.own_words for s in samples]):
        rule = "said before" if exactly else "nearly said before"
        fates.append(_dropped(samples[number].source.memory, rule, samples[first].source.memory))
        again.add(number)
    return [s for i, s in enumerate(samples) if i not in again], fates
