"""Forgetting on purpose: what holds a memory, taking it out of all data, and what a model still knows of it.

A model cannot be told to forget; it is trained anew without. So the data are cleaned, and the models that learned from
them are named until others have taken their place.
"""

from __future__ import annotations

import dataclasses
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from idiolect.config import Options
from idiolect.curation import Fate
from idiolect.dataset import TrainingText, sample_of
from idiolect.errors import UserFault
from idiolect.evaluation import StillKnown, still_known
from idiolect.files import read_json, regular_bytes, remove, write_json, write_jsonl
from idiolect.home import Dataset, Home, Profile, Run
from idiolect.memories import Memory, MemoryFile, decoded, memory_files, parts, read_memory
from idiolect.workflow.archive.registry import read_registry
from idiolect.workflow.archive.runs import Finished, find_run, known
from idiolect.workflow.archive.summary import Summary, file_facts, is_ours, summary_of
from idiolect.workflow.data.editing import forget_edits
from idiolect.workflow.data.steps import read_lines
from idiolect.workflow.models.earlier import origin
from idiolect.workflow.models.evaluating import base_gguf, evaluation_of, rewrite
from idiolect.workflow.planning.going_on import EARLIER_RUN
from idiolect.workflow.planning.plan import Asked, target, with_weights
from idiolect.workflow.records.lock import only_run


@dataclass(frozen=True)
class Wish:
    """What is to be forgotten: one memory by its name or id, all that name somebody, or all before a day."""

    memory: str | None = None
    person: str | None = None
    before: datetime | None = None


@dataclass(frozen=True)
class Holds:
    """A run, and how many of the memories it learned from, held out, or left out."""

    run: Run
    fates: Mapping[str, int]
    heir: bool
    """It went on from a model that learned from them."""
    published: bool

    @property
    def knows(self) -> bool:
        return self.heir or self.fates.get("train", 0) > 0


@dataclass(frozen=True)
class Found:
    """The memory files that are meant, by the names that ledgers give them, and what knows of them."""

    files: Mapping[str, MemoryFile]
    runs: Sequence[Holds]
    dataset: Mapping[str, int]
    """What the data set that was made without a run did with them."""

    @property
    def models(self) -> list[Run]:
        """Runs whose model learned from them, or went on from one that had, and is there."""
        return [h.run for h in self.runs if h.knows and h.run.gguf.exists()]


def find(home: Home, person: str, wish: Wish) -> Found:
    """Find what is to be forgotten. Raises UnknownPerson, and UserFault where there is nothing."""
    profile = known(home, person)
    listed = [file for file in memory_files(profile) if isinstance(file, MemoryFile)]
    files = {part.source: part for file in listed for part in parts(file) if _meant(part, wish)}
    if not files:
        raise _nothing(profile, wish)
    return Found(files, _holding(profile, files), _fates(profile.dataset(), files))


def take_out(home: Home, person: str, found: Found) -> dict[str, list[TrainingText]]:
    """Delete the memory files, and take them out of every data set, ledger and report.

    Returns for each run what its model learned of them, so that it can be asked for it afterwards. Raises UserFault
    while a run of this person is going on.
    """
    profile = home.profile(person)
    with only_run(profile, "forget"):
        learned = {h.run.label: _learned(h.run, found.files.keys()) for h in found.runs}
        for file in found.files.values():
            _delete(file)
        remove(profile.prepared)
        remove(profile.heard)
        forget_edits(profile, found.files.keys())
        for place in (profile.dataset(), *(h.run for h in found.runs)):
            _clean(place, found.files.keys())
        for work in profile.out.glob("work/*/bundle"):
            remove(work)
    return {label: texts for label, texts in learned.items() if texts}


def as_asked_for(profile: Profile, finished: Finished) -> tuple[Asked, str]:
    """Return how to train anew as a run was trained, and its cycle.

    The new model takes the place of the old one, better or not: that one knows what is to be forgotten. Where that one
    went on from an earlier run, which may know it, too, the new one begins with the base model of the first.
    """
    options = finished.summary.options
    typed = {k: o["value"] for k, o in options.items() if o["from"] in ("command line", "environment")}
    flags = {k: v for k, v in typed.items() if k in Options.model_fields} | {"publish": "always"}
    if finished.summary.base_model.startswith(EARLIER_RUN):
        flags["base_model"] = origin(profile, finished.summary.base_model)
    return Asked(profile.person, {}, flags), finished.summary.cycle


def proof(home: Home, person: str, texts: Sequence[TrainingText], old: str, new: str) -> dict[str, StillKnown]:
    """Ask base, old and new model for what was to be forgotten: how likely it is to each, and who recites it."""
    profile, before, after = home.profile(person), find_run(home, old, person), find_run(home, new, person)
    aimed = with_weights(home, profile, target(home, profile, before.summary.base_model))
    base = base_gguf(home, aimed, before.run.quantization)
    return still_known(texts, aimed.tokenizer, {"base": base, "before": before.run.gguf, "after": after.run.gguf})


def _delete(file: MemoryFile) -> None:
    """Delete a memory: its file, or its place in a list of events, so that the others keep their numbers."""
    path = Path(file.path)
    if not file.number:
        remove(path)
        return
    events = decoded(regular_bytes(path))
    events[file.number - 1] = None
    if any(event is not None for event in events):
        write_json(path, events)
    else:
        remove(path)


def _meant(file: MemoryFile, wish: Wish) -> bool:
    if wish.memory and file.source == wish.memory:
        return True
    memory = read_memory(file)
    if not isinstance(memory, Memory):
        return False
    if wish.memory:
        return memory.event_id == wish.memory
    if wish.person:
        name = re.compile(rf"(?<!\w){re.escape(wish.person)}(?!\w)", re.IGNORECASE)
        return any(name.search(turn.text) for turn in memory.turns)
    return bool(wish.before and memory.timestamp and _utc(memory.timestamp) < wish.before)


def _utc(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _nothing(profile: Profile, wish: Wish) -> UserFault:
    if wish.person:
        return UserFault(
            f"No memory of {profile.person} names {wish.person!r}.",
            "Whole words count, upper or lower case alike: it may be written otherwise.",
        )
    if wish.before:
        return UserFault(
            f"{profile.person} has no memory from before {wish.before:%Y-%m-%d}.",
            "The day is that of their timestamps.",
        )
    return UserFault(
        f"{profile.person} has no such memory in {profile.memories}.",
        "A memory is named by its path below that folder, or by the id within it.",
    )


def _holding(profile: Profile, files: Mapping[str, MemoryFile]) -> list[Holds]:
    """Return the runs that know of memories, the oldest first, so that what goes on from one comes after it."""
    registry = read_registry(profile)
    published = registry.published.label if registry.published else None
    found: list[Holds] = []
    for run in filter(is_ours, profile.runs()):
        fates, heir, as_written = _fates(run, files), False, run
        if summary := summary_of(run):
            as_written = dataclasses.replace(run, quantization=summary.quantization)
            heir = summary.base_model in {f"{EARLIER_RUN}{h.run.label}" for h in found if h.knows}
        if fates or heir:
            found.append(Holds(as_written, fates, heir, run.label == published))
    return found


def _fates(place: Dataset, files: Mapping[str, MemoryFile]) -> dict[str, int]:
    if not place.ledger.exists():
        return {}
    return dict(Counter(fate.fate for fate in read_lines(place.ledger, Fate) if fate.memory in files))


def _learned(run: Run, names: Collection[str]) -> list[TrainingText]:
    if not (run.ledger.exists() and run.dataset.exists()):
        return []
    ids = {fate.sample for fate in read_lines(run.ledger, Fate) if fate.memory in names and fate.fate == "train"}
    return [t for t in read_lines(run.dataset, TrainingText) if t.sample in ids]


def _clean(place: Dataset, names: Collection[str]) -> None:
    """Take memories out of a data set's files, and out of what a run says of itself."""
    ids = {i for path in (place.curated, place.formatted) for i in _ids(path, names)}
    for path in (place.curated, place.formatted, place.schema_applied, place.ledger, place.dataset):
        if path.exists():
            _rewrite(path, lambda record: not _is_of(record, names, ids))
    if isinstance(place, Run) and (summary := summary_of(place)):
        _clean_what_it_says(place, summary, ids)


def _clean_what_it_says(run: Run, summary: Summary, ids: Collection[str]) -> None:
    """Take memories out of a run's evaluation and report, and let its summary tell of its files as they are now."""
    files = {n: file_facts(run.folder / n) for n in summary.files if (run.folder / n).exists()}
    summary = msgspec.structs.replace(summary, files=files)
    write_json(run.summary, summary)
    if run.evaluation.exists():
        evaluation = evaluation_of(run)
        kept = tuple(a for a in evaluation.answers if a.id not in ids)
        rewrite(Finished(run, summary), msgspec.structs.replace(evaluation, answers=kept))


class _Memory(msgspec.Struct, frozen=True):
    memory: str


class _Of(msgspec.Struct, frozen=True):
    """Of a record, what says which memory it is made of."""

    id: str
    source: _Memory


def _ids(path: Path, names: Collection[str]) -> Iterator[str]:
    records = read_json(path, list[_Of]) if path.exists() else []
    return (record.id for record in records if record.source.memory in names)


def _is_of(record: Any, names: Collection[str], ids: set[str]) -> bool:
    """Say whether a record of any of a data set's files tells of one of these memories."""
    return record.get("memory") in names or sample_of(record.get("id", "")) in ids


def _rewrite(path: Path, keep: Callable[[Any], bool]) -> None:
    if path.suffix == ".jsonl":
        write_jsonl(path, filter(keep, read_lines(path, dict)))
    else:
        write_json(path, list(filter(keep, read_json(path, list[dict[str, Any]]))))
