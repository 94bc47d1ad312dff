from __future__ import annotations

import msgspec
import pytest

from idiolect.evaluation import Evaluation, Thresholds, verdict
from idiolect.evaluation.canaries import Canary
from idiolect.evaluation.evaluated import Against
from idiolect.evaluation.fidelity import Fidelity, Loss
from idiolect.evaluation.memorized import Recited
from idiolect.evaluation.resampling import share
from tests.evaluation.conftest import loss

ASKED = Thresholds(gain=0.0, forgetting=0.5, leakage=0.1)


def against(evaluation: Evaluation, now: Loss | None, then: Loss | None) -> Evaluation:
    compared = Against(label="the-other", now=now, then=then, by_quarter={})
    return msgspec.structs.replace(evaluation, against=compared)


def with_trained(evaluation: Evaluation, **changed: object) -> Evaluation:
    return msgspec.structs.replace(evaluation, trained=msgspec.structs.replace(evaluation.trained, **changed))


def test_a_good_first_run_and_a_better_second_one_are_published(evaluation: Evaluation) -> None:
    first = verdict(evaluation, ASKED)
    assert first.publish
    assert (
        first.reason == "It is better than the base model by more than noise: +1.000 nats a token (+0.900 to +1.100)."
    )
    second = verdict(against(evaluation, loss(4.1, 3.9), loss(4.0, 3.98)), ASKED)
    assert second.publish
    assert "better than the-other by more than noise: +0.200" in second.reason


@pytest.mark.parametrize(
    ("now", "then", "why"),
    [
        (loss(4.0, 3.95), None, "not better than the-other by more than noise: +0.050"),
        (loss(4.0, 4.3), None, "not better than the-other"),
        (loss(4.5, 3.0), loss(4.0, 4.5), "worse at what the-other was judged by: -0.500"),
    ],
)
def test_what_is_not_better_or_learned_from_others_is_kept_back(
    evaluation: Evaluation, now: Loss, then: Loss | None, why: str
) -> None:
    found = verdict(against(evaluation, now, then), ASKED)
    assert not found.publish
    assert why in found.reason


def test_each_threshold_decides(evaluation: Evaluation) -> None:
    assert "better than the base model" in verdict(evaluation, Thresholds(gain=0.95)).reason
    assert not verdict(evaluation, Thresholds(gain=0.95)).publish
    forgot = with_trained(evaluation, general=loss(1.2, 1.9, 0.05))
    assert "forgets more" in verdict(forgot, ASKED).reason
    assert verdict(forgot, Thresholds(forgetting=0.7)).publish
    recited = msgspec.structs.replace(
        evaluation, recited={"train": Recited(12, 4, share(4, 12)), "held_out": Recited(12, 0, share(0, 12))}
    )
    assert "recites 4 of 12" in verdict(recited, ASKED).reason
    assert verdict(recited, Thresholds(leakage=0.4)).publish


def test_a_quarter_that_was_forgotten_counts_though_the_whole_is_better(evaluation: Evaluation) -> None:
    def quarters(samples: int) -> Evaluation:
        by_quarter = {"2025-Q1": loss(3.0, 4.0, samples=samples), "2026-Q1": loss(4.0, 3.0)}
        compared = Against(label="the-other", now=loss(4.1, 3.9), then=loss(4.0, 3.98), by_quarter=by_quarter)
        return msgspec.structs.replace(evaluation, against=compared)

    assert "forgets more of 2025-Q1 than the 0.5 nats allowed" in verdict(quarters(40), ASKED).reason
    assert verdict(quarters(40), Thresholds(forgetting=1.2)).publish
    assert verdict(quarters(3), ASKED).publish


def test_a_phrase_of_theirs_that_comes_unseen_as_well_is_no_leak(evaluation: Evaluation) -> None:
    both = {split: Recited(12, 4, share(4, 12)) for split in ("train", "held_out")}
    assert verdict(msgspec.structs.replace(evaluation, recited=both), ASKED).publish


def test_what_was_audited_or_cannot_be_judged_is_never_published(evaluation: Evaluation) -> None:
    audited = with_trained(evaluation, canaries=(Canary("locker", 20, 3.0, False),))
    assert "--audit" in verdict(audited, ASKED).reason
    unjudged = with_trained(evaluation, fidelity=None)
    assert "Nothing was held out" in verdict(unjudged, ASKED).reason
    no_gain = with_trained(evaluation, fidelity=Fidelity(loss(4.0, 3.95), {}, {}))
    assert "not better than the base model" in verdict(no_gain, ASKED).reason
    assert not any(verdict(e, ASKED).publish for e in (audited, unjudged, no_gain))
