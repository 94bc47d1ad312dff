from __future__ import annotations

import msgspec

from idiolect.evaluation import Evaluation, month
from idiolect.evaluation.fidelity import Known
from idiolect.evaluation.months import as_month
from idiolect.training import SampleLoss

ABOUT = {f"{n}": Known("dual", "2025-Q4" if n < 6 else "2026-Q1", f"talk {n}") for n in range(12)}


def measured(evaluation: Evaluation, losses: list[SampleLoss]) -> Evaluation:
    told = msgspec.structs.replace(evaluation.trained.measured, held_out=tuple(losses))
    return msgspec.structs.replace(evaluation, trained=msgspec.structs.replace(evaluation.trained, measured=told))


def test_of_an_earlier_run_those_replies_count_that_are_held_out_now(evaluation: Evaluation) -> None:
    now = measured(evaluation, [SampleLoss(f"{n}", 10, 40.0, 30.0) for n in range(12)])
    elsewhere = [SampleLoss(f"other {n}", 10, 40.0, 99.0) for n in range(5)]
    anew = [SampleLoss("7", 11, 40.0, 99.0)]
    then = measured(evaluation, [*(SampleLoss(f"{n}", 10, 40.0, 35.0) for n in range(6)), *elsewhere, *anew])
    found = month(then, now, ABOUT, published=True)
    assert found.all
    assert (found.all.samples, found.all.after.value, found.published) == (6, 3.5, True)
    assert list(found.by_quarter) == ["2025-Q4"]
    assert found.general == evaluation.trained.general


def test_a_run_that_held_out_nothing_of_now_has_general_questions_alone(evaluation: Evaluation) -> None:
    now = measured(evaluation, [SampleLoss("1", 10, 40.0, 30.0)])
    found = month(measured(evaluation, [SampleLoss("x", 10, 40.0, 30.0)]), now, ABOUT, published=False)
    assert (found.all, found.by_quarter, found.general) == (None, {}, evaluation.trained.general)


def test_the_run_that_is_judged_is_the_last_month(evaluation: Evaluation) -> None:
    last = as_month(evaluation)
    assert evaluation.trained.fidelity
    assert (last.label, last.all) == (evaluation.label, evaluation.trained.fidelity.all)
    assert last.by_quarter == evaluation.trained.fidelity.by_quarter
