from __future__ import annotations

import msgspec

from idiolect.evaluation import Evaluation, month
from idiolect.evaluation.fidelity import Known
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
    assert (found.all.samples, found.all.before.value, found.all.after.value, found.published) == (6, 3.5, 3.0, True)
    assert found.all.gain.low == found.all.gain.high == 0.5
    assert list(found.by_quarter) == ["2025-Q4"]


def test_general_questions_are_the_same_for_all(evaluation: Evaluation) -> None:
    def asked(after: float) -> Evaluation:
        probes = [SampleLoss("general/1", 4, 8.0, after), SampleLoss("seen/1", 4, 8.0, 0.0)]
        told = msgspec.structs.replace(evaluation.trained.measured, probes=tuple(probes))
        return msgspec.structs.replace(evaluation, trained=msgspec.structs.replace(evaluation.trained, measured=told))

    found = month(asked(4.0), asked(6.0), {}, published=False)
    assert (found.all, found.by_quarter) == (None, {})
    assert found.general
    assert (found.general.samples, found.general.before.value, found.general.gain.value) == (1, 1.0, -0.5)
