"""A data set to look through: its samples and the fates of all memories, found by words, mode, split and rule."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from idiolect.curation import Fate
from idiolect.dataset import Quality, TrainingText, words_of
from idiolect.errors import UserFault
from idiolect.files import read_json
from idiolect.home import Dataset, Home, Run
from idiolect.workflow.archive.runs import known, run_of
from idiolect.workflow.data.steps import read_lines
from idiolect.workflow.models.evaluating import evaluation_of

LAST_MADE = "last made"
#: So many characters of a sample are shown in a list.
_SHOWN = 160


@dataclass(frozen=True)
class Browsable:
    """A data set that was made; `samples` and `fates` are in the order of their files."""

    name: str
    """LAST_MADE, or the label of its run."""
    samples: Sequence[TrainingText]
    fates: Sequence[Fate]
    quality: Quality | None

    def of_memory(self) -> Mapping[str, Fate]:
        """Return the fate of the memory that a sample comes from, by the sample's id."""
        return {f.sample: f for f in self.fates if f.sample}

    def rules(self) -> Mapping[str, int]:
        """Return how many memories have each fate, or were dropped by each rule; all together, all memories."""
        return dict(Counter(f.rule or f.fate for f in self.fates).most_common())


def browse(home: Home, person: str, label: str | None = None) -> Browsable:
    """Open the data set that was last made without a run, or that of a run, or of the newest run.

    Raises UserFault where there is none.
    """
    profile = known(home, person)
    made = profile.dataset()
    if label:
        return _opened(run_of(home, person, label), label)
    if made.dataset.exists():
        return _opened(made, LAST_MADE)
    runs = [run for run in profile.runs() if run.dataset.exists() and run.ledger.exists()]
    if not runs:
        raise UserFault(f"No data set of {person} was made yet.", f"Make one: idiolect dataset --username {person}")
    return _opened(runs[-1], runs[-1].label)


def find_samples(found: Browsable, words: str = "", mode: str | None = None, split: str | None = None) -> list[int]:
    """Return the places of samples that hold these words (in their text or their memory's name)."""
    wanted = words.casefold().strip()
    source = {f.sample: f.memory for f in found.fates if f.sample} if wanted else {}
    return [
        place
        for place, s in enumerate(found.samples)
        if (mode is None or s.mode == mode)
        and (split is None or s.split == split)
        and (not wanted or wanted in s.text.casefold() or wanted in source.get(s.sample, "").casefold())
    ]


def find_fates(found: Browsable, words: str = "", rule: str | None = None) -> list[int]:
    """Return the places of memories in the ledger whose name or detail holds these words, with this fate or rule."""
    wanted = words.casefold().strip()
    return [
        place
        for place, f in enumerate(found.fates)
        if (rule is None or (f.rule or f.fate) == rule)
        and (wanted in f.memory.casefold() or wanted in f.detail.casefold())
    ]


def own_words(sample: TrainingText) -> str:
    """Return the beginning of what the person says in a sample, in one line."""
    return " ".join(" … ".join(words_of(sample.text[start:end]) for start, end in sample.learned).split())[:_SHOWN]


def parts(sample: TrainingText) -> list[tuple[str, bool]]:
    """Return a sample's text in pieces, each with whether it is learned."""
    pieces, at = [], 0
    for start, end in sample.learned:
        pieces += [(sample.text[at:start], False), (sample.text[start:end], True)]
        at = end
    return [piece for piece in (*pieces, (sample.text[at:], False)) if piece[0]]


def _opened(place: Dataset, name: str) -> Browsable:
    read = (place.dataset, place.ledger, place.quality)
    return _read(name, place, tuple(p.stat().st_mtime_ns if p.exists() else 0 for p in read))


@lru_cache(maxsize=2)
def _read(name: str, place: Dataset, _: tuple[int, ...]) -> Browsable:
    """Read a data set once for all who look at it, until its files change."""
    samples, fates = read_lines(place.dataset, TrainingText), read_lines(place.ledger, Fate)
    return Browsable(name, samples, fates, _quality(place))


def _quality(place: Dataset) -> Quality | None:
    """Return the figures of a data set; a run that has ended has them in its evaluation."""
    if place.quality.exists():
        return read_json(place.quality, Quality, "Make the data set again: idiolect dataset --username NAME")
    if isinstance(place, Run) and place.evaluation.exists():
        return evaluation_of(place).made_of.quality
    return None
