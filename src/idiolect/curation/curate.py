"""From a pile of memories to samples worth training on, and the fate of every single one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from idiolect.config import CurationRules, Options
from idiolect.curation.duplicates import repeats
from idiolect.curation.prepare import Preparation, prepare
from idiolect.curation.sample import Fate, Prepared, Sample
from idiolect.curation.selection import balance, select
from idiolect.memories import Memory, Unreadable


@dataclass(frozen=True)
class Curation:
    """The samples, oldest first, and a fate for each memory, by name."""

    samples: list[Sample]
    fates: list[Fate]

    @property
    def masked(self) -> Counter[str]:
        """How many placeholders of each kind stand in the samples."""
        return sum((Counter(f.masked) for f in self.fates if f.masked), Counter())


def curate(found: Iterable[Memory | Unreadable], options: Options, rules: CurationRules) -> Curation:
    """Make a sample of each memory that the person speaks in, each said once, as many as were asked for."""
    how = Preparation(rules, options.seed)
    return settle([prepare(item, how) for item in found], options, rules)


def settle(prepared: Sequence[Prepared], options: Options, rules: CurationRules) -> Curation:
    """Decide what depends on the other memories: disapproval, mode, repeats, balance, selection."""
    fates = {p.memory: _dropped(p.memory, p.rule, p.detail) for p in prepared if p.rule}
    rejected = {p.rejects for p in prepared if p.rejects}
    samples = []
    for p in prepared:
        if p.sample is None:
            continue
        if p.event_id in rejected:
            fates[p.memory] = _dropped(p.memory, "disapproved of")
        elif options.mode and p.sample.mode != options.mode:
            fates[p.memory] = _dropped(p.memory, "another mode", p.sample.mode)
        else:
            samples.append(p.sample)
    once, twice = _once(samples, nearly=options.dataset_builder == "curated")
    balanced = balance(once, rules.balance, options.seed)
    chosen = select(balanced, options)
    fates |= {f.memory: f for f in twice}
    fates |= _left_out(once, balanced, "too many of this mode")
    fates |= _left_out(balanced, chosen, "not selected")
    in_it = {s.source.memory for s in chosen}
    fates |= {p.memory: _kept(p, p.sample) for p in prepared if p.sample and p.memory in in_it}
    return Curation(chosen, [fates[name] for name in sorted(fates)])


def _kept(p: Prepared, sample: Sample) -> Fate:
    return Fate(memory=p.memory, fate="kept", sample=sample.id, masked=p.masked, filler=p.filler)


def _dropped(memory: str, rule: str, detail: str = "") -> Fate:
    return Fate(memory=memory, fate="dropped", rule=rule, detail=detail)


def _left_out(before: Sequence[Sample], after: Sequence[Sample], rule: str) -> dict[str, Fate]:
    kept = {s.id for s in after}
    return {s.source.memory: _dropped(s.source.memory, rule) for s in before if s.id not in kept}


def _once(samples: Sequence[Sample], *, nearly: bool) -> tuple[list[Sample], list[Fate]]:
    """Leave out what says the same as an earlier sample, to the letter or nearly so."""
    fates = []
    again = set()
    for number, first, exactly in repeats([s.own_words for s in samples], nearly=nearly):
        rule = "said before" if exactly else "nearly said before"
        fates.append(_dropped(samples[number].source.memory, rule, samples[first].source.memory))
        again.add(number)
    return [s for i, s in enumerate(samples) if i not in again], fates
