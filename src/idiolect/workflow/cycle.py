"""A cycle from top to bottom: each step in its order, what it reads and writes, and the summary of the run."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from idiolect.config import our_part
from idiolect.curation import SELECTION, memory_stamps
from idiolect.errors import IdiolectError
from idiolect.files import write_json
from idiolect.home import CYCLES, Cycle, Home
from idiolect.training import OPTIONS as TRAINING
from idiolect.training import Event
from idiolect.workflow import data_steps, steps
from idiolect.workflow.journal import Journal, StepRecord, fingerprints, read_journal, why_again, written
from idiolect.workflow.lock import only_run
from idiolect.workflow.plan import Asked, Plan, plan
from idiolect.workflow.runs import Finished, unfinished
from idiolect.workflow.summary import failed, succeeded


@dataclass(frozen=True)
class Step:
    """One step: `run` returns a line that says what came of it; `reads` names what decides its result."""

    run: Callable[[Plan, steps.Tell], str]
    reads: Callable[[Plan], Mapping[str, Any]]
    writes: Callable[[Plan], Sequence[Path]]


STEPS: Mapping[str, Step] = {
    "curate": Step(
        lambda p, _: data_steps.curate(p.data, p.run),
        lambda p: {
            "memories": memory_stamps(p.data.profile),
            "rules": p.data.rules.model_dump(),
            **_options(p, SELECTION),
        },
        lambda p: [p.run.curated, p.run.fates],
    ),
    "format": Step(
        lambda p, _: data_steps.format_curated(p.data, p.run.curated, p.run.formatted),
        lambda p: {"samples": p.run.curated, "system messages": p.data.systems, "mode_as": p.data.rules.mode_as},
        lambda p: [p.run.formatted],
    ),
    "schema": Step(
        lambda p, _: data_steps.apply_chat_template(p.target, p.run.formatted, p.run.schema_applied),
        lambda p: {"samples": p.run.formatted, "chat template": p.target.template.source},
        lambda p: [p.run.schema_applied],
    ),
    "export": Step(
        lambda p, _: data_steps.export_dataset(p.data, p.target, p.run.schema_applied, p.run),
        lambda p: {
            "samples": p.run.schema_applied,
            "fates": p.run.fates,
            "tokenizer": p.target.tokenizer,
            **_options(p, {"max_seq_length", "seed"}),
        },
        lambda p: [p.run.dataset, p.run.ledger],
    ),
    "report": Step(
        lambda p, _: data_steps.report_quality(p.data, p.target, p.run),
        lambda p: {"samples": p.run.curated, "ledger": p.run.ledger},
        lambda p: [p.run.report],
    ),
    "validate": Step(
        lambda p, _: data_steps.validate_dataset(p.run.dataset, skip=p.data.options.skip_validation),
        lambda p: {"data set": p.run.dataset, **_options(p, {"skip_validation"})},
        lambda _: [],
    ),
    "train": Step(
        steps.train,
        lambda p: {"data set": p.run.dataset, "base model": _weights(p), **_options(p, TRAINING)},
        lambda p: [p.run.weights, p.run.train_log, p.run.loss_picture],
    ),
    "quantize": Step(
        steps.merge_and_quantize,
        lambda p: {
            "trained weights": written([p.run.weights], p.run.folder),
            "base model": _weights(p),
            "chat template": p.target.template.source,
            "quantization": p.run.quantization,
        },
        lambda p: [p.run.gguf],
    ),
    "modelfile": Step(
        steps.write_modelfile,
        lambda p: {"system messages": p.data.systems, "turn end": p.target.template.turn_end},
        lambda p: [p.run.modelfile],
    ),
}


@dataclass(frozen=True)
class Began:
    """A step begins; `again` says why, if it was done before."""

    step: str
    again: str | None = None


@dataclass(frozen=True)
class Ended:
    """A step has ended, now or in an earlier try; `outcome` says in a line what came of it."""

    step: str
    outcome: str
    seconds: float
    now: bool = True


Tell = Callable[[Event | steps.Written | Began | Ended], None]


def run_cycle(home: Home, asked: Asked, cycle: Cycle, tell: Tell) -> Finished:
    """Train on a person's memories, as the cycle does it, and write their model file."""
    decided = plan(home, asked, cycle)
    given = {k: v for k, v in asked.flags.items() if v is not None}
    label, environ = decided.run.label, our_part(asked.environ)
    return carry_out(decided, Journal(label, cycle.name, asked.person, datetime.now(UTC), environ, given), tell)


def resume(home: Home, person: str, label: str | None, tell: Tell) -> Finished:
    """Go on with a run that did not come to its end, the newest if no label is given, as it was asked for."""
    before = unfinished(home, person, label)
    journal = read_journal(before.journal)
    decided = plan(home, Asked(person, journal.environ, journal.flags), CYCLES[journal.cycle], before.label)
    return carry_out(decided, journal, tell)


def carry_out(decided: Plan, journal: Journal, tell: Tell) -> Finished:
    """Carry out a plan, step by step; the journal gets each step's record when its outputs are whole.

    Raises UserFault if another run of this person is going on.
    """
    with only_run(decided.data.profile, decided.run.label):
        return _steps(decided, journal, tell)


def _steps(decided: Plan, journal: Journal, tell: Tell) -> Finished:
    decided.run.folder.mkdir(parents=True, exist_ok=True)
    write_json(decided.run.journal, journal)
    for name, step in STEPS.items():
        try:
            record = _done(decided, journal, name, step, tell)
        except IdiolectError as error:
            write_json(decided.run.summary, failed(decided, journal, name, error))
            raise
        others = [r for r in journal.steps if r.step != name]
        journal = msgspec.structs.replace(journal, steps=[*others, record])
        write_json(decided.run.journal, journal)
    summary = succeeded(decided, journal)
    write_json(decided.run.summary, summary)
    shutil.rmtree(decided.run.work)
    return Finished(decided.run, summary)


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
    clock = time.monotonic()
    outcome = step.run(decided, tell)
    seconds = round(time.monotonic() - clock, 2)
    tell(Ended(name, outcome, seconds))
    return StepRecord(name, outcome, seconds, reads, written(step.writes(decided), root))


def _options(decided: Plan, names: set[str] | frozenset[str]) -> dict[str, Any]:
    return decided.data.options.model_dump(include=set(names))


def _weights(decided: Plan) -> dict[str, Any]:
    """Tell one base model from another without reading gigabytes: names, sizes, times of change."""
    files = sorted(decided.target.base.folder.glob("*.safetensors"))
    return {f.name: (f.stat().st_size, f.stat().st_mtime_ns) for f in files}
