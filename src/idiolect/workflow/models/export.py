"""Another model file, later: from the weights that a run has kept, in another quantization."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from idiolect.dataset import load_chat_template
from idiolect.errors import BaseModelFault, OptionFault, UserFault
from idiolect.export import estimate_bytes, export_gguf
from idiolect.home import Home, Profile, Run
from idiolect.serving import Sampling
from idiolect.training import Note
from idiolect.workflow.archive.runs import run_of
from idiolect.workflow.archive.summary import read_summary
from idiolect.workflow.planning.going_on import merged
from idiolect.workflow.planning.plan import known_person
from idiolect.workflow.planning.room import check_room
from idiolect.workflow.records.events import Began, Ended, Tell, Written


@dataclass(frozen=True)
class Another:
    """What is asked for: whose run, in which quantization, into which file (None: beside the run's first one).

    `imatrix`: with the importance matrix that the run kept.
    """

    person: str
    label: str
    quantization: str
    output: Path | None = None
    imatrix: bool = False


@dataclass(frozen=True)
class _Kept:
    """What of a run can be exported: a model, and an adapter on it or None."""

    model: Path
    adapter: Path | None
    base_name: str


def export_again(home: Home, asked: Another, tell: Tell) -> Path:
    """Write the model of a run in another quantization; return the file.

    Raises UnknownPerson, UserFault (no such run, or one without weights), BaseModelFault (the base model of an
    adapter is gone), OptionFault (`output` is a folder) and NoRoom.
    """
    profile = known_person(home, asked.person)
    run = run_of(home, asked.person, asked.label)
    target = asked.output or run.another_gguf(asked.quantization)
    if target.is_dir():
        raise OptionFault(f"{target} is a folder.", "Name the file to write, as in --output voice.gguf.")
    if asked.imatrix and not run.importance.exists():
        raise UserFault(
            f"The run {run.label} kept no importance matrix: there is no {run.importance}.",
            "Leave out --imatrix, or give it to the cycle already: it is measured while training.",
        )
    kept = _kept(home, profile, run, tell)
    check_room(target.parent, estimate_bytes(kept.model, asked.quantization))
    tell(Began("quantize"))
    clock = time.monotonic()
    written = export_gguf(
        kept.model,
        target,
        asked.quantization,
        adapter=kept.adapter,
        importance=run.importance if asked.imatrix else None,
        name=profile.person,
        chat_template=load_chat_template(kept.model, home.schemas, kept.base_name).source,
        keys=Sampling().gguf_keys(),
        on_progress=lambda done, total: tell(Written(done, total)),
    )
    outcome = f"{target.name}, {asked.quantization}, {written.bytes / 1e6:,.0f} MB"
    tell(Ended("quantize", outcome, round(time.monotonic() - clock, 2)))
    return target


def _kept(home: Home, profile: Profile, run: Run, tell: Tell) -> _Kept:
    """Find a run's weights; of an adapter, with the base that it was trained on, or else the model that was merged."""
    if not run.weights.is_dir():
        raise UserFault(
            f"The run {run.label} has no weights: there is no {run.weights}.",
            "Go on with it, if it did not come to its end (idiolect runs resume), or train anew.",
        )
    if run.cycle.trains == "model":
        return _Kept(run.model, None, run.label)
    written = next((path for path in (run.summary, run.usable) if path.exists()), None)
    if not written:
        raise UserFault(
            f"The run {run.label} has not come to its end: which base model it trains is not written down yet.",
            "Wait for it, or go on with it: idiolect runs resume",
        )
    name = read_summary(written).base_model
    try:
        return _Kept(merged(home, profile, name, lambda text: tell(Note(text))), run.weights, name)
    except BaseModelFault as gone:
        if not run.model.is_dir():
            raise BaseModelFault(
                f"The adapter of run {run.label} needs its base model, {name}: {gone.problem}",
                "Fetch that model again, or put it back where it was.",
            ) from gone
        tell(Note(f"The base model {name} is gone: exporting {run.model}, whose weights were rounded when merged."))
        return _Kept(run.model, None, name)
