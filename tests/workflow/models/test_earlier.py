"""Several months of runs: which of them a new one is shown beside, and how that looks."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from idiolect.curation import Source
from idiolect.dataset import RenderedSample
from idiolect.evaluation import Evaluation, Thresholds, report_html, verdict
from idiolect.evaluation.fidelity import Known, fidelity, quarter
from idiolect.files import write_json
from idiolect.home import Home, Run
from idiolect.training import SampleLoss
from idiolect.workflow.archive.registry import Registry, candidate, write_registry
from idiolect.workflow.models.earlier import month_over_month
from tests.conftest import MakeRun
from tests.evaluation.conftest import evaluation

__all__ = ["evaluation"]

REPLIES = [(f"{n}", datetime(2026, 1 + n // 2, 1 + n, tzinfo=UTC)) for n in range(12)]


def rendered(name: str, said: datetime) -> RenderedSample:
    source = Source(memory=name, type="chat", timestamp=said, conversation=None, mode_from="type", prompt_from="memory")
    return RenderedSample(id=name, mode="dual", text="Rain.", learned=((0, 5),), source=source)


def evaluated(evaluation: Evaluation, run: Run, base: str, loss: float, replies: int) -> Evaluation:
    """Return what a run says of itself that held out the first replies, and gave each that loss a token."""
    losses = tuple(SampleLoss(name, 10, 40.0, 10 * loss) for name, _ in REPLIES[:replies])
    measured = msgspec.structs.replace(evaluation.trained.measured, held_out=losses)
    about = {name: Known("dual", quarter(rendered(name, said).source), name) for name, said in REPLIES}
    trained = msgspec.structs.replace(evaluation.trained, measured=measured, fidelity=fidelity(losses, about))
    return msgspec.structs.replace(evaluation, label=run.label, base_model=base, trained=trained)


def test_runs_before_one_are_shown_that_began_with_its_base(
    home: Home, make_run: MakeRun, evaluation: Evaluation
) -> None:
    first, second, other, failed, last, later = (
        make_run(day, state, gguf=False, weights=False, base_model="embedded")
        for day, state in (
            ("2026-01-01", "succeeded"),
            ("2026-02-01", "succeeded"),
            ("2026-03-01", "succeeded"),
            ("2026-04-01", "failed"),
            ("2026-05-01", None),
            ("2026-06-01", "succeeded"),
        )
    )
    lost = make_run("2026-01-15", gguf=False, weights=False)
    write_json(first.evaluation, evaluated(evaluation, first, "embedded", 3.5, 8))
    # It went on from the first, and so began with the same base.
    write_json(second.evaluation, evaluated(evaluation, second, f"run:{first.label}", 3.25, 10))
    write_json(other.evaluation, evaluated(evaluation, other, "some/other", 1.0, 12))
    for run in (failed, later):
        write_json(run.evaluation, evaluated(evaluation, run, "embedded", 9.0, 12))
    lost.evaluation.write_text("{")
    write_json(last.schema_applied, [rendered(*reply) for reply in REPLIES])
    profile = home.profile("ada")
    write_registry(profile, Registry(published=candidate(profile, second, {}, "", None)))

    found = month_over_month(profile, last, evaluated(evaluation, last, "embedded", 3.0, 12))

    assert [(m.label, m.published) for m in found.months] == [(first.label, False), (second.label, True)]
    assert [(m.all.before.value, m.all.gain.value) for m in found.months if m.all] == [(3.5, 0.5), (3.25, 0.25)]
    assert [{q: loss.samples for q, loss in m.by_quarter.items()} for m in found.months] == [
        {"2026-Q1": 6, "2026-Q2": 2},
        {"2026-Q1": 6, "2026-Q2": 4},
    ]
    assert found.not_measured["earlier runs"] == (
        "Not shown: 1 of another base model, whose tokens are others, 1 without a readable evaluation."
    )
    page = report_html(found, verdict(found, Thresholds()))
    assert "Month over month" in page
    assert "-0.25 (-0.25 to -0.25) since 2026-02-01" in page
    assert "2026-01-01-120000-260101, 8 samples: 3.500" in page


def test_a_first_run_has_no_months(home: Home, make_run: MakeRun, evaluation: Evaluation) -> None:
    run = make_run("2026-01-01", None, gguf=False, weights=False)
    write_json(run.schema_applied, [])
    found = month_over_month(home.profile("ada"), run, evaluation)
    assert (found.months, found.not_measured) == ((), evaluation.not_measured)
    assert "Month over month" not in report_html(found, verdict(found, Thresholds()))
