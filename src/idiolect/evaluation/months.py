"""Month over month: what one run after the other knew of the same replies, and of what everybody knows.

Each run measured its own held-out replies as it ended. Which these are follows from the talks, so that most are held
out by the next runs, too; two runs are compared on those that both held out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from idiolect.evaluation.evaluated import Evaluation, Month
from idiolect.evaluation.fidelity import Known, fidelity, summed
from idiolect.evaluation.probes import GENERAL
from idiolect.training import SampleLoss


def month(earlier: Evaluation, now: Evaluation, about: Mapping[str, Known], *, published: bool) -> Month:
    """Return what an earlier run came to (before) beside the run that is judged `now` (after), on what both measured.

    `about` is what is known of the replies that are held out now. A reply that was written anew since then has other
    tokens, and does not count.
    """
    then, ours = earlier.trained.measured, now.trained.measured
    replies = fidelity(_both(then.held_out, ours.held_out), about)
    general = [loss for loss in _both(then.probes, ours.probes) if loss.id.startswith(GENERAL)]
    return Month(
        label=earlier.label,
        published=published,
        all=replies.all if replies else None,
        by_quarter=replies.by_quarter if replies else {},
        general=summed(general, {}) if general else None,
    )


def _both(then: Iterable[SampleLoss], now: Iterable[SampleLoss]) -> list[SampleLoss]:
    ours = {loss.id: loss for loss in now}
    return [
        SampleLoss(loss.id, loss.tokens, loss.after, ours[loss.id].after)
        for loss in then
        if loss.id in ours and ours[loss.id].tokens == loss.tokens
    ]
