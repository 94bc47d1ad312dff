"""Month over month: what one run after the other knew of the same replies, and of what everybody knows.

Each run measured its own held-out replies as it ended. Which these are follows from the talks, so that most are held
out by the next runs, too; of an earlier run those count here that the run which is judged holds out as well.
"""

from __future__ import annotations

from collections.abc import Mapping

from idiolect.evaluation.evaluated import Evaluation, Month
from idiolect.evaluation.fidelity import Known, fidelity


def month(earlier: Evaluation, now: Evaluation, about: Mapping[str, Known], *, published: bool) -> Month:
    """Return what an earlier run came to; `about` is what is known of the replies that are held out `now`.

    A reply that was written anew since then has other tokens, and does not count.
    """
    ours = {loss.id: loss.tokens for loss in now.trained.measured.held_out}
    both = [loss for loss in earlier.trained.measured.held_out if ours.get(loss.id) == loss.tokens]
    found = fidelity(both, about)
    return Month(
        label=earlier.label,
        published=published,
        all=found.all if found else None,
        by_quarter=found.by_quarter if found else {},
        general=earlier.trained.general,
    )


def as_month(now: Evaluation) -> Month:
    """Return the run that is judged as the last of the months; whether it is published is not known yet."""
    found = now.trained.fidelity
    return Month(
        label=now.label,
        published=False,
        all=found.all if found else None,
        by_quarter=found.by_quarter if found else {},
        general=now.trained.general,
    )
