"""What old runs leave on the disk: the newest successful run of each cycle and the one before it are kept whole.

Of an older run the model file goes, and the merged model beside an adapter; the weights that were trained stay. A run
that failed and left neither goes, and so does a work folder that nothing was written to for a week. Never touched: a
run that is going on, the published model, the one that a rollback would bring back, and whatever this program has no
record of having made: MetaHuman OS' own runs stand in the same folders. The rules are its, over all days.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import msgspec

from idiolect.errors import NoOllama, OllamaRefused, UserFault
from idiolect.files import remove
from idiolect.home import CYCLES, Profile, Run
from idiolect.serving import ollama
from idiolect.workflow.archive.ollama_names import foreign, left_over
from idiolect.workflow.archive.registry import Published, Registry, read_registry, write_registry
from idiolect.workflow.archive.runs import state
from idiolect.workflow.archive.summary import is_ours, summary_of
from idiolect.workflow.planning.going_on import EARLIER_RUN
from idiolect.workflow.records.audit import audit
from idiolect.workflow.records.journal import read_journal
from idiolect.workflow.records.lock import no_other_run, only_publication

KEPT = 2
_NAME = "its run's model file is gone"
_LEFT = "a publication that broke off had left it"
_DAY = 24 * 3600
_WEEK = 7 * _DAY


@dataclass(frozen=True)
class Removal:
    """A file, a folder, or a name in Ollama that is removed; `failed` says why it is still there, if it is."""

    what: Path | str
    why: str
    size: int = 0
    failed: str = ""

    def __str__(self) -> str:
        verb = f"could not remove ({self.failed})" if self.failed else "removed"
        size = f", {self.size / 1e6:,.1f} MB" if self.size else ""
        return f"{verb} {self.what}{size}: {self.why}"


def clean_up(
    profile: Profile, keep: int = KEPT, *, going_on: str | None = None, dry_run: bool = False
) -> list[Removal]:
    """Remove what old runs have left, and say what; `going_on` is the run of this process, if it is in one.

    With `dry_run` nothing is removed. Raises UserFault while a model is being published.
    """
    with only_publication(profile, "clean-up"), nullcontext(going_on) if going_on else no_other_run(profile) as other:
        registry = read_registry(profile)
        untouched = {other, *(p.label for p in _needed(registry))}
        found = [*_removals(profile, keep, untouched), *_merged_for_others(profile, going_on)]
        if dry_run:
            return found + _out_of_ollama(profile, registry, found, dry_run=True)
        done = [_removed(removal) for removal in found]
        done += _out_of_ollama(profile, registry, (), dry_run=False)
    for removal in done:
        audit(profile, "training_cleanup_delete", {"what": _shown(profile, removal), "failed": removal.failed})
    return done


def _shown(profile: Profile, removal: Removal) -> str:
    inside = isinstance(removal.what, Path)
    return str(Path(removal.what).relative_to(profile.root)) if inside else str(removal.what)


def _needed(registry: Registry) -> list[Published]:
    """Return the published model and the one that a rollback would bring back."""
    return [p for p in (registry.published, *registry.before[:1]) if p]


def _removals(profile: Profile, keep: int, untouched: set[str | None]) -> Iterator[Removal]:
    bases = _bases(profile)
    for cycle in CYCLES.values():
        runs = [r for r in reversed(profile.runs()) if r.cycle == cycle and is_ours(r)]
        whole = [r.label for r in runs if state(r) == "succeeded"][:keep]
        for run in runs:
            if run.label not in untouched and run.label not in whole:
                older = len(whole) == keep and run.label < whole[-1]
                yield from _of_run(run, older=older, gone_on_from=run.label in bases)
    for work in sorted(w for w in profile.work.glob("*") if any(w.glob("*journal.json*"))):
        if work.name not in untouched and not _queued(work) and time.time() - _last_written(work) > _WEEK:
            yield Removal(work, "nothing was written to it for a week", _size(work))


def _bases(profile: Profile) -> set[str]:
    """Return the labels of runs whose merged model is the base model of another one."""
    named = [name for run in profile.runs() for name in _base_names(run)]
    return {name.removeprefix(EARLIER_RUN) for name in named}


def _merged_for_others(profile: Profile, going_on: str | None) -> Iterator[Removal]:
    """Yield models that were merged only for another run to go on from, once no run needs them any more.

    One of today may be for a run that is being decided; unless it was for the run that has just ended.
    """
    ours = [run for run in profile.runs() if is_ours(run)]
    waited_for = {n for r in ours if r.journal.exists() and r.label != going_on for n in _base_names(r)}
    done_with = {n for r in ours if r.label == going_on for n in _chain(ours, r)}
    for run in ours:
        name = f"{EARLIER_RUN}{run.label}"
        if run.cycle.trains == "model" or _keeps_model(run) or not run.model.is_dir() or name in waited_for:
            continue
        if name in done_with or time.time() - run.model.stat().st_mtime > _DAY:
            yield Removal(run.model, "it was merged for a run that has ended; its adapter stays", _size(run.model))


def _chain(runs: Sequence[Run], run: Run) -> Iterator[str]:
    """Yield the base models that a run's stands on, one after the other, from the last to the first."""
    by_name = {f"{EARLIER_RUN}{r.label}": r for r in runs}
    at: Run | None = run
    while at and (summary := summary_of(at)):
        yield summary.base_model
        before, at = at, by_name.get(summary.base_model)
        at = at if at and at.label < before.label else None


def _keeps_model(run: Run) -> bool:
    """Whether a run was to keep base and adapter merged; one of which that is not known may have been."""
    summary = summary_of(run)
    return summary is None or bool(summary.options.get("keep_model", {}).get("value", True))


def _base_names(run: Run) -> list[str]:
    """Return what may name a run's base model: its summary, or how it was asked for."""
    if summary := summary_of(run):
        return [summary.base_model]
    try:
        journal = read_journal(run.journal)
    except UserFault:
        return []
    return [*journal.environ.values(), str(journal.flags.get("base_model"))]


def _of_run(run: Run, *, older: bool, gone_on_from: bool) -> Iterator[Removal]:
    """Say what of a run goes that is not among those kept whole; `older` than all of them or not.

    What was merged can be merged again, unless it is what another run's adapter stands on.
    """
    ggufs, weights = list(run.folder.glob("*.gguf")), list(run.folder.rglob("*.safetensors"))
    resumable = run.journal.exists() and (state(run) != "failed" or any(run.bundle.glob("checkpoints/*")))
    if state(run) != "succeeded" and not weights and not resumable and (older or not ggufs):
        for folder in (run.folder, run.work):
            if folder.exists():
                yield Removal(folder, "it failed and left nothing", _size(folder))
    elif older:
        for gguf in ggufs:
            yield Removal(gguf, "newer models are kept; its weights stay", _size(gguf))
        if _keeps_model(run) and run.cycle.trains == "adapter" and run.model.is_dir() and not gone_on_from:
            yield Removal(run.model, "newer models are kept; its adapter stays", _size(run.model))


def _queued(work: Path) -> bool:
    """Return whether a run waits for a worker, however long that takes."""
    try:
        journal = read_journal(work / "journal.json")
    except UserFault:
        return False
    return bool(journal.queue) and not journal.steps


def _losing_file(profile: Profile, registry: Registry, removals: Sequence[Removal]) -> list[Published]:
    """Return the models of the registry whose file is gone, or goes with these removals."""
    going = {removal.what for removal in removals}
    files = {p.label: profile.root / p.gguf for p in registry.before}
    return [p for p in registry.before if files[p.label] in going or not files[p.label].exists()]


def _removed(removal: Removal) -> Removal:
    path = Path(removal.what)
    try:
        remove(path)
        if path.parent.parent.name in {cycle.folder for cycle in CYCLES.values()} and not any(path.parent.iterdir()):
            path.parent.rmdir()
    except OSError as error:
        return Removal(path, removal.why, removal.size, failed=str(error))
    return removal


def _out_of_ollama(
    profile: Profile, registry: Registry, removals: Sequence[Removal], *, dry_run: bool
) -> list[Removal]:
    """Take out of Ollama what this home has put there and nothing needs, if it answers, and then out of the registry.

    That is the names of models whose file is gone, and what a publication left that broke off. Says what was there.
    """
    gone = _losing_file(profile, registry, removals)
    names = {p.ollama: _NAME for p in gone if p.ollama}
    names |= dict.fromkeys(left_over(registry, profile.person), _LEFT)
    forgotten, done = {""}, []
    try:
        there = ollama.reach() if names else None
        standing = ollama.models(there) if there else {}
        for name, why in names.items():
            ours = name in standing and not foreign(standing, registry, [name])
            if there and ours and (dry_run or ollama.delete(there, name)):
                done.append(Removal(f"{name} in Ollama", why))
            forgotten.add(name)
    except (NoOllama, OllamaRefused) as error:
        done.append(Removal("old names in Ollama", _NAME, failed=error.problem))
    labels = {p.label for p in gone if (p.ollama or "") in forgotten}
    kept = msgspec.structs.replace(
        registry,
        before=[model for model in registry.before if model.label not in labels],
        begun=[name for name in registry.begun if name not in forgotten],
    )
    if not dry_run and kept != registry:
        write_registry(profile, kept)
    return done


def _size(path: Path) -> int:
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(f.stat().st_size for f in files if f.is_file())


def _last_written(folder: Path) -> float:
    return max(f.stat().st_mtime for f in (folder, *folder.rglob("*")))
