"""A cycle from top to bottom: each step in its order, what it reads and writes, and the summary of the run."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from idiolect.config import environment, our_part
from idiolect.curation import SELECTION, Fate, memory_stamps, values_of
from idiolect.errors import IdiolectError, MachineFault, RunFailed, UserFault
from idiolect.files import make_folder, remove, remove_partials, write_json
from idiolect.home import CYCLES, Cycle, Home, Profile, Run, label_moment
from idiolect.machines import LOCAL, RUNPOD
from idiolect.memories import reading_of
from idiolect.serving import engine
from idiolect.training import Note
from idiolect.workflow import steps
from idiolect.workflow.archive.cleanup import clean_up
from idiolect.workflow.archive.runs import Finished, run_of, standing, state, unfinished
from idiolect.workflow.archive.summary import failed, read_summary, so_far, succeeded
from idiolect.workflow.cancel import cancellable
from idiolect.workflow.data import steps as data_steps
from idiolect.workflow.models import evaluating
from idiolect.workflow.models.evaluating import GATE
from idiolect.workflow.models.publish import talks
from idiolect.workflow.planning.plan import Asked, Plan, plan
from idiolect.workflow.pods import has_leases, reap_pods
from idiolect.workflow.records.audit import audit
from idiolect.workflow.records.events import Began, Ended, Tell, logged, write_line
from idiolect.workflow.records.faults import audited, telling_of_faults
from idiolect.workflow.records.journal import Journal, StepRecord, fingerprints, read_journal, why_again, written
from idiolect.workflow.records.lock import Holder, only_run


@dataclass(frozen=True)
class Step:
    """One step: `run` returns a line that says what came of it; `reads` names what decides its result."""

    run: Callable[[Plan, Tell], str]
    reads: Callable[[Plan], Mapping[str, Any]]
    writes: Callable[[Plan], Sequence[Path]]
    wanted: Callable[[Plan], bool] = lambda _: True
    """Whether a run has this step at all."""


def _curation_reads(decided: Plan) -> Mapping[str, Any]:
    data = decided.data
    if data.options.dataset:
        return {"data set": Path(data.options.dataset)}
    return {
        "memories": memory_stamps(data.profile),
        "rules": data.rules.model_dump(exclude={"system_messages", "mode_as"}),
        "names": sorted(reading_of(data.profile, data.rules).names),
        # Named only if there are some: a run begun by a version that knew no edits goes on as it was.
        **({"edits": values_of(data.edits)} if data.edits else {}),
        **_options(decided, SELECTION),
    }


STEPS: Mapping[str, Step] = {
    "curate": Step(
        # Dates are counted from when the run began: resumed on another day, it selects the same.
        lambda p, _: data_steps.curate(p.data, p.run.curated, p.run.fates, label_moment(p.run.label)),
        _curation_reads,
        lambda p: [p.run.curated, p.run.fates],
    ),
    "format": Step(
        lambda p, _: data_steps.format_curated(p.data, p.run.curated, p.run.formatted),
        lambda p: {"samples": p.run.curated, "system messages": p.data.systems, "mode_as": p.data.rules.mode_as},
        lambda p: [p.run.formatted],
    ),
    "schema": Step(
        lambda p, _: data_steps.apply_chat_template(p.data, p.target, p.run.formatted, p.run.schema_applied),
        lambda p: {
            "samples": p.run.formatted,
            "chat template": p.target.template.source,
            "tokenizer": p.target.tokenizer,
            "longest sample": p.target.longest(p.data.options),
        },
        lambda p: [p.run.schema_applied],
    ),
    "export": Step(
        lambda p, _: data_steps.export_dataset(p.data, p.run.schema_applied, p.run),
        lambda p: {"samples": p.run.schema_applied, "fates": p.run.fates, **_options(p, {"seed"})},
        lambda p: [p.run.dataset, p.run.ledger],
    ),
    "quality": Step(
        lambda p, _: data_steps.note_quality(p.data, p.target, p.run),
        lambda p: {"samples": p.run.curated, "ledger": p.run.ledger},
        lambda p: [p.run.quality],
    ),
    "validate": Step(
        lambda p, _: data_steps.validate_dataset(
            p.run.dataset,
            skip=p.data.options.skip_validation,
            selected=data_steps.not_selected(p.data, data_steps.read_lines(p.run.ledger, Fate)),
        ),
        lambda p: {"data set": p.run.dataset, **_options(p, {"skip_validation"})},
        lambda _: [],
    ),
    "prompts": Step(
        steps.check_prompts,
        lambda p: {
            "texts": p.run.schema_applied,
            "chat template": p.target.template.source,
            "tokenizer": p.target.tokenizer,
            "llama.cpp": engine(),
        },
        lambda _: [],
    ),
    "train": Step(
        steps.train,
        steps.training_reads,
        lambda p: [p.run.weights, p.run.train_log, p.run.loss_picture, *_importance(p)],
    ),
    "merge": Step(
        steps.keep_merged_model,
        lambda p: {
            "trained weights": written([p.run.weights], p.run.folder),
            "base model": steps.base_weights(p),
            "chat template": p.target.template.source,
        },
        lambda p: [p.run.model],
        lambda p: p.run.cycle.trains == "adapter" and p.data.options.keep_model,
    ),
    "quantize": Step(
        steps.merge_and_quantize,
        lambda p: {
            "trained weights": written([p.run.weights, *_importance(p)], p.run.folder),
            "base model": steps.base_weights(p),
            "chat template": p.target.template.source,
            "quantization": p.run.quantization,
        },
        lambda p: [p.run.gguf],
    ),
    "modelfile": Step(
        steps.write_modelfile,
        lambda p: {"system messages": p.data.systems, "chat template": p.target.template.source},
        lambda p: [p.run.modelfile],
    ),
    "parity": Step(
        steps.compare_with_training,
        lambda p: {"model": p.run.gguf, "chat template": p.target.template.source, "tokenizer": p.target.tokenizer},
        lambda _: [],
    ),
    "evaluate": Step(
        evaluating.evaluate_step,
        lambda p: {
            "model": p.run.gguf,
            "data set": p.run.dataset,
            "samples": p.run.formatted,
            "quality": p.run.quality,
            **_options(p, GATE),
        },
        lambda p: [p.run.evaluation, p.run.report],
    ),
    "publish": Step(
        steps.publish_model,
        lambda p: {
            "model": p.run.gguf,
            "evaluation": p.run.evaluation,
            "system messages": p.data.systems,
            **_options(p, {"publish"}),
        },
        lambda _: [],
    ),
}


#: After this step the model file can be talked to and published, whatever ends the run; later ones leave it alone.
COMPARED = "parity"
AFTER = ("evaluate", "publish")

#: MetaHuman OS laid an adapter merged from all earlier ones over the new model, where its server could.
_DUAL_MODE = "METAHUMAN_DUAL_MODE"


def run_cycle(home: Home, asked: Asked, cycle: Cycle, tell: Tell, *, wait: bool = False) -> Finished:
    """Train on a person's memories, as the cycle does it, and write their model file.

    Raises UserFault if another run of this person is going on, unless it is to be waited for.
    """
    decided = plan(home, asked, cycle, say=lambda text: tell(Note(text)))
    _reap(home, decided, tell)
    if environment(home, asked.environ).get(_DUAL_MODE) == "1":
        tell(Note(f"{_DUAL_MODE}: not done. What was learned before is gone on from with --base-model run:<label>."))
    with only_run(decided.data.profile, decided.run.label, _waiting(tell, wait=wait)) as died:
        _say_who_died(died, decided.data.profile, decided.run.label, tell)
        return carry_out(decided, new_journal(decided, asked), tell)


def resume(home: Home, person: str, label: str | None, tell: Tell, *, wait: bool = False) -> Finished:
    """Go on with a run that did not come to its end, the newest that was not cancelled if no label is given."""
    run = unfinished(home, person, label)
    if standing(home.profile(person), run) not in ("running", "cancelling"):
        remove(run.cancelled)
    return carry_on(home, person, run.label, tell, wait=wait)


def carry_on(home: Home, person: str, label: str, tell: Tell, *, wait: bool = False) -> Finished:
    """Go on with a run as it was asked for; return what came of it if it has succeeded by now.

    Raises RunCancelled if it was cancelled, and UserFault if another run is going on that is not to be waited for.
    """
    with only_run(home.profile(person), label, _waiting(tell, wait=wait)) as died:
        run = run_of(home, person, label)
        if state(run) == "succeeded":
            remove(run.work)
            return Finished(run, read_summary(run.summary))
        _say_who_died(died, home.profile(person), label, tell)
        journal = read_journal(run.journal)
        asked = Asked(person, journal.environ, journal.flags)
        decided = plan(home, asked, CYCLES[journal.cycle], label, say=lambda text: tell(Note(text)))
        _reap(home, decided, tell)
        return carry_out(decided, journal, tell)


def _reap(home: Home, decided: Plan, tell: Tell) -> None:
    """Give back what earlier runs may have left, before anything is done on a machine that is not this one."""
    machine = decided.data.options.machine
    if machine == RUNPOD or (machine != LOCAL and has_leases(home)):
        try:
            for pod in reap_pods(home):
                tell(Note(f"Gave back a pod that nobody needed any more: {pod.name}."))
        except MachineFault as fault:
            tell(Note(f"{fault.problem} {fault.remedy}"))


def new_journal(decided: Plan, asked: Asked, queue: str = "") -> Journal:
    """Return the journal of a run in which nothing is done yet."""
    given = {k: v for k, v in asked.flags.items() if v is not None}
    if "dataset" in given:
        given["dataset"] = decided.data.options.dataset
    label, environ = decided.run.label, our_part(asked.environ)
    return Journal(label, decided.run.cycle.name, asked.person, datetime.now(UTC), environ, given, queue)


def carry_out(decided: Plan, journal: Journal, tell: Tell, steps: Mapping[str, Step] = STEPS) -> Finished:
    """Carry out a plan, step by step; the journal gets each step's record when its outputs are whole.

    The caller holds the person's lock. Raises RunCancelled, and what the steps raise.
    """
    profile, run = decided.data.profile, decided.run
    with telling_of_faults(profile, run):
        for folder in (run.folder, run.work):
            remove_partials(folder)
        for before in profile.runs():
            if before.work.exists() and state(before) == "succeeded":
                remove(before.work)
        remove(run.summary)
        if not journal.steps:
            journal = msgspec.structs.replace(journal, began=datetime.now(UTC))
        # The journal first: a run that has a folder can be gone on with.
        write_json(run.journal, journal)
        make_folder(run.folder)
        audit(profile, f"{audited(run)}_started", {"run": run.label, "done_before": len(journal.steps)})
        told = logged(run.log, tell)
        for note in () if journal.steps else decided.data.settings.notes:
            told(Note(note))
        with cancellable(run):
            journal = _steps(decided, journal, told, steps)
        _check_all_is_there(profile, journal)
        remove(run.usable)
        summary = succeeded(decided, journal)
        write_json(run.summary, summary)
        write_line(run.log, "the run has succeeded")
        audit(profile, f"{audited(run)}_completed", {"run": run.label, "memories": summary.memories})
        remove(run.work)
    _clean_up(profile, run, tell)
    return Finished(run, summary)


def _clean_up(profile: Profile, run: Run, tell: Tell) -> None:
    """Remove what old runs have left; a run that has succeeded does not fail of that."""
    try:
        for removal in clean_up(profile, going_on=run.label):
            tell(Note(str(removal)))
    except UserFault as busy:
        tell(Note(f"Old runs were not cleaned up. {busy.problem}"))


def _check_all_is_there(profile: Profile, journal: Journal) -> None:
    """Raise RunFailed where somebody has taken away what a step had written, while later ones were going on."""
    if gone := [path for record in journal.steps for path in record.writes if not (profile.root / path).exists()]:
        raise RunFailed(
            f"{profile.root / gone[0]} was taken away during the run.",
            "What made it is done again: idiolect runs resume",
        )


def _steps(decided: Plan, journal: Journal, tell: Tell, steps: Mapping[str, Step]) -> Journal:
    for name, step in ((n, s) for n, s in steps.items() if s.wanted(decided)):
        try:
            record = _done(decided, journal, name, step, tell)
        except IdiolectError as error:
            usable = talks(decided.run.gguf)
            write_json(decided.run.summary, failed(decided, journal, name, error, usable=usable))
            if usable:
                raise _offering(error, decided) from error
            raise
        others = [r for r in journal.steps if r.step != name]
        journal = msgspec.structs.replace(journal, steps=[*others, record])
        write_json(decided.run.journal, journal)
        if name == COMPARED and not decided.run.usable.exists():
            write_json(decided.run.usable, so_far(decided, journal))
    return journal


def _offering(error: IdiolectError, decided: Plan) -> IdiolectError:
    """Return the error with a word of the model file that the run has left, which loads and talks."""
    where = f"{decided.run.label} --username {decided.data.profile.person}"
    offer = f"Its model file is there and talks: idiolect chat --run {where}; idiolect promote {where}"
    return type(error)(error.problem, f"{error.remedy} {offer}")


def _done(decided: Plan, journal: Journal, name: str, step: Step, tell: Tell) -> StepRecord:
    """Return the record of a step: the one that is there, or that of doing it now."""
    root = decided.data.profile.root
    reads = fingerprints(step.reads(decided))
    before = next((r for r in journal.steps if r.step == name), None)
    again = why_again(before, reads, written(step.writes(decided), root)) if before else None
    if before and again is None:
        tell(Ended(name, before.outcome, before.seconds, now=False))
        return before
    tell(Began(name, again))
    if name not in AFTER:
        remove(decided.run.usable)
    clock = time.monotonic()
    outcome = step.run(decided, tell)
    seconds = round(time.monotonic() - clock, 2)
    tell(Ended(name, outcome, seconds))
    writes = written(step.writes(decided), root)
    for renamed in before.writes.keys() - writes.keys() if before else ():
        remove(root / renamed)
    return StepRecord(name, outcome, seconds, reads, writes, datetime.now(UTC))


def _waiting(tell: Tell, *, wait: bool) -> Callable[[Holder | None], None] | None:
    return (lambda who: tell(Note(f"Waiting for another run: {who or 'it has just begun'}."))) if wait else None


def _say_who_died(died: Holder | None, profile: Profile, label: str, tell: Tell) -> None:
    """Say that a run was cut short; of one that had not written its journal there is nothing to go on with."""
    if died is None or died.label == label:
        return
    if not (profile.work / died.label / "journal.json").exists():
        remove(profile.work / died.label)
    else:
        tell(Note(f"A run was cut short: {died}. To go on with it: idiolect runs resume {died.label}"))


def _options(decided: Plan, names: set[str] | frozenset[str]) -> dict[str, Any]:
    return decided.data.options.model_dump(include=set(names))


def _importance(decided: Plan) -> list[Path]:
    return [decided.run.importance] if decided.data.options.imatrix else []
