"""Whether a run may be published: better by more than noise, nothing forgotten, nothing given away."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from idiolect.evaluation.evaluated import Evaluation
from idiolect.evaluation.resampling import Estimate

#: Of fewer replies no interval can be told.
_QUARTER_AT_LEAST = 8


@dataclass(frozen=True)
class Thresholds:
    """What is asked of a run: nats a token for the first two, a share of tries for the third."""

    gain: float = 0.0
    forgetting: float = 0.5
    leakage: float = 0.1


class Verdict(msgspec.Struct, frozen=True):
    """To publish or not, and why, in one sentence."""

    publish: bool
    reason: str


def verdict(evaluation: Evaluation, thresholds: Thresholds) -> Verdict:
    """Judge a run; the first fault decides.

    Noise is what a 95 % interval spans: a gain counts if its lower end lies above the threshold, a fault if what is
    lost lies above it even at the lower end.
    """
    for fault in _FAULTS:
        if reason := fault(evaluation, thresholds):
            return Verdict(publish=False, reason=reason)
    return Verdict(publish=True, reason=_praise(evaluation))


def _audited(e: Evaluation, _: Thresholds) -> str | None:
    if not e.trained.canaries:
        return None
    return "It was trained with planted numbers (--audit), which nobody should be told."


def _unmeasured(e: Evaluation, _: Thresholds) -> str | None:
    return None if e.trained.fidelity else "Nothing was held out, so that there is nothing to judge it by."


def _no_better_than_base(e: Evaluation, t: Thresholds) -> str | None:
    gain = e.trained.fidelity.all.gain if e.trained.fidelity else None
    if gain is None or gain.low > t.gain:
        return None
    return f"It is not better than the base model by more than noise: {_nats(gain)}."


def _no_better_than_published(e: Evaluation, t: Thresholds) -> str | None:
    if e.against is None or e.against.now is None or e.against.now.gain.low > t.gain:
        return None
    return f"It is not better than {e.against.label} by more than noise: {_nats(e.against.now.gain)}."


def _forgot_the_person(e: Evaluation, _: Thresholds) -> str | None:
    """Ask for what the published run was judged by: who learned from somebody else does not know it any more."""
    if e.against is None or e.against.then is None or e.against.then.gain.high >= 0:
        return None
    return f"It is worse at what {e.against.label} was judged by: {_nats(e.against.then.gain)}."


def _forgot_a_quarter(e: Evaluation, t: Thresholds) -> str | None:
    """Ask for each quarter of a year by itself: what was learned long ago may go while the whole gets better."""
    quarters = e.against.by_quarter if e.against else {}
    lost = {
        name: loss.gain
        for name, loss in quarters.items()
        if loss.samples >= _QUARTER_AT_LEAST and -loss.gain.high > t.forgetting
    }
    if not lost or e.against is None:
        return None
    name, gain = min(lost.items(), key=lambda found: found[1].value)
    return f"It forgets more of {name} than the {t.forgetting:g} nats allowed, beside {e.against.label}: {_nats(gain)}."


def _forgot_the_world(e: Evaluation, t: Thresholds) -> str | None:
    general = e.trained.general
    if general is None or -general.gain.high <= t.forgetting:
        return None
    return f"It forgets more of what everybody knows than the {t.forgetting:g} nats allowed: {_nats(general.gain)}."


def _recites(e: Evaluation, t: Thresholds) -> str | None:
    seen, unseen = e.recited.get("train"), e.recited.get("held_out")
    if seen is None:
        return None
    more = seen.share.value - (unseen.share.value if unseen else 0.0)
    if more <= t.leakage or seen.share.low <= (unseen.share.value if unseen else 0.0):
        return None
    return f"It recites {seen.recited} of {seen.tries} memories that were begun, more than the {t.leakage:.0%} allowed."


_FAULTS: tuple[Callable[[Evaluation, Thresholds], str | None], ...] = (
    _audited,
    _unmeasured,
    _no_better_than_base,
    _forgot_the_person,
    _no_better_than_published,
    _forgot_a_quarter,
    _forgot_the_world,
    _recites,
)


def _praise(e: Evaluation) -> str:
    if e.against and e.against.now:
        return f"It is better than {e.against.label} by more than noise: {_nats(e.against.now.gain)}."
    gain = _nats(e.trained.fidelity.all.gain) if e.trained.fidelity else ""
    return f"It is better than the base model by more than noise: {gain}."


def _nats(gain: Estimate) -> str:
    return f"{gain.value:+.3f} nats a token ({gain.low:+.3f} to {gain.high:+.3f})"
