"""A cycle from top to bottom: each step in its order, its record, and the summary of the run."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from idiolect.errors import IdiolectError
from idiolect.files import write_json
from idiolect.home import FULL, Home
from idiolect.training import Event
from idiolect.workflow import data_steps, steps
from idiolect.workflow.plan import Plan, plan
from idiolect.workflow.runs import Finished
from idiolect.workflow.summary import StepRecord, failed, succeeded

#: A step returns one line: what came of it.
Step = Callable[[Plan, steps.Tell], str]

STEPS: Mapping[str, Step] = {
    "curate": lambda p, _: data_steps.curate(p.data, p.run),
    "format": lambda p, _: data_steps.format_curated(p.data, p.run.curated, p.run.formatted),
    "schema": lambda p, _: data_steps.apply_chat_template(p.target, p.run.formatted, p.run.schema_applied),
    "export": lambda p, _: data_steps.export_dataset(p.data, p.target, p.run.schema_applied, p.run),
    "report": lambda p, _: data_steps.report_quality(p.data, p.target, p.run),
    "validate": lambda p, _: data_steps.validate_dataset(p.run.dataset, skip=p.data.options.skip_validation),
    "train": steps.train,
    "quantize": steps.merge_and_quantize,
    "modelfile": steps.write_modelfile,
}


@dataclass(frozen=True)
class Began:
    """A step begins."""

    step: str


@dataclass(frozen=True)
class Ended:
    """A step has ended; `outcome` says in a line what came of it."""

    step: str
    outcome: str
    seconds: float


Tell = Callable[[Event | steps.Written | Began | Ended], None]


def full_cycle(home: Home, person: str, environ: Mapping[str, str], flags: Mapping[str, Any], tell: Tell) -> Finished:
    """Train a LoRA adapter on a person's memories and write their model file."""
    return run(plan(home, person, FULL, environ, flags), tell)


def run(decided: Plan, tell: Tell) -> Finished:
    """Carry out a plan, step by step; the journal gets each step's record when the step has ended."""
    began = datetime.now(UTC)
    decided.run.folder.mkdir(parents=True)
    decided.run.work.mkdir(parents=True)
    records: list[StepRecord] = []
    for name, step in STEPS.items():
        tell(Began(name))
        clock = time.monotonic()
        try:
            outcome = step(decided, tell)
        except IdiolectError as error:
            write_json(decided.run.summary, failed(decided, began, records, name, error))
            raise
        records.append(StepRecord(name, outcome, round(time.monotonic() - clock, 2)))
        write_json(decided.run.journal, records)
        tell(Ended(name, outcome, records[-1].seconds))
    summary = succeeded(decided, began, records)
    write_json(decided.run.summary, summary)
    shutil.rmtree(decided.run.work)
    return Finished(decided.run, summary)
