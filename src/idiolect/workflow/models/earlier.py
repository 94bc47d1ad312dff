"""The runs before one: which it is compared with, and what they came to, month over month."""

from __future__ import annotations

import dataclasses

import msgspec

from idiolect.dataset import RenderedSample, TrainingText
from idiolect.evaluation import Earlier, Evaluation, known, month, read_evaluation
from idiolect.files import DAMAGED, regular_bytes
from idiolect.home import Profile, Run
from idiolect.workflow.archive.registry import read_registry
from idiolect.workflow.archive.runs import Finished, state
from idiolect.workflow.archive.summary import summary_of
from idiolect.workflow.data.steps import read_lines, read_records
from idiolect.workflow.planning.going_on import EARLIER_RUN

#: So many earlier runs are shown.
_MONTHS = 12


def before(profile: Profile, label: str) -> Finished | None:
    """Return the run that is published, or else the newest before `label`; its model file is there."""
    published = read_registry(profile).published
    runs = [r for r in profile.runs() if r.label < label]
    first = [r for r in runs if published and r.label == published.label]
    for run in (*first, *reversed(runs)):
        summary = summary_of(run)
        if summary and summary.state == "succeeded":
            written = dataclasses.replace(run, quantization=summary.quantization)
            if written.gguf.exists():
                return Finished(written, summary)
    return None


def comparable(earlier: Finished, profile: Profile, base: str) -> Earlier | str:
    """Return a run to compare with, or why it cannot be: another model's tokens are others."""
    if origin(profile, earlier.summary.base_model) != origin(profile, base):
        return f"{earlier.run.label} was trained on {earlier.summary.base_model}, whose tokens are others."
    if not earlier.run.schema_applied.exists():
        return f"Of {earlier.run.label} only the model is left, not what it learned from."
    return Earlier(
        label=earlier.run.label,
        gguf=earlier.run.gguf,
        lines=read_lines(earlier.run.dataset, TrainingText),
        rendered=read_records(earlier.run.schema_applied, RenderedSample),
    )


def month_over_month(profile: Profile, run: Run, evaluation: Evaluation) -> Evaluation:
    """Put what earlier runs came to beside a run: the last that began with its base model, whose tokens are its own."""
    registry = read_registry(profile)
    published = {model.label for model in (registry.published, *registry.before) if model}
    about = known(read_records(run.schema_applied, RenderedSample))
    found, left_out = _earlier(profile, run.label, origin(profile, evaluation.base_model))
    months = [month(e, evaluation, about, published=e.label in published) for e in found[-_MONTHS:]]
    why = {"earlier runs": f"Not shown: {', '.join(left_out)}."} if left_out else {}
    return msgspec.structs.replace(evaluation, months=tuple(months), not_measured=evaluation.not_measured | why)


def _earlier(profile: Profile, label: str, began_with: str) -> tuple[list[Evaluation], list[str]]:
    """Return the evaluations of the runs before one that began with a base model, and why others are left out."""
    found, strange, unreadable = [], 0, 0
    for run in profile.runs():
        if run.label >= label or state(run) != "succeeded":
            continue
        try:
            evaluation = read_evaluation(regular_bytes(run.evaluation))
        except DAMAGED:
            unreadable += 1
            continue
        if origin(profile, evaluation.base_model) == began_with:
            found.append(evaluation)
        else:
            strange += 1
    why = {"of another base model, whose tokens are others": strange, "without a readable evaluation": unreadable}
    return found, [f"{count} {reason}" for reason, count in why.items() if count]


def origin(profile: Profile, base: str) -> str:
    """Return the base model that a chain of runs, each going on from the one before, began with."""
    while base.startswith(EARLIER_RUN):
        label = base.removeprefix(EARLIER_RUN)
        base = next((s.base_model for r in profile.runs() if r.label == label and (s := summary_of(r))), "")
    return base
