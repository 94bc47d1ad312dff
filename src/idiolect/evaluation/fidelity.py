"""How likely the model finds what the person really said and it never saw: loss a token, lower is better."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from idiolect.curation import Source
from idiolect.dataset import RenderedSample, talk_of
from idiolect.evaluation.resampling import Estimate, ratio
from idiolect.training import SampleLoss


class Loss(msgspec.Struct, frozen=True):
    """Nats a token before and after, and what was gained (positive: better), with 95 % intervals."""

    samples: int
    tokens: int
    before: Estimate
    after: Estimate
    gain: Estimate


class Fidelity(msgspec.Struct, frozen=True):
    """The loss on held-out replies: of all, by cognitive mode, and by the quarter in which they were said."""

    all: Loss
    by_mode: dict[str, Loss]
    by_quarter: dict[str, Loss]


@dataclass(frozen=True)
class Known:
    """What is known of a sample beside its loss."""

    mode: str
    quarter: str
    talk: str


def known(samples: Sequence[RenderedSample]) -> dict[str, Known]:
    """Return each sample's mode, quarter and talk, by its id."""
    return {s.id: Known(s.mode, quarter(s.source), talk_of(s)) for s in samples}


def quarter(source: Source) -> str:
    """Return the quarter of a year in which something was said, as 2026-Q3."""
    when = source.timestamp
    return f"{when.year:04}-Q{(when.month + 2) // 3}" if when else "undated"


def fidelity(losses: Sequence[SampleLoss], about: Mapping[str, Known]) -> Fidelity | None:
    """Return what held-out losses come to; None where nothing was held out."""
    counted = [loss for loss in losses if loss.tokens]
    if not counted:
        return None
    talks = {name: k.talk for name, k in about.items()}
    return Fidelity(
        summed(counted, talks),
        _by(counted, talks, lambda loss: about[loss.id].mode),
        by_quarter(counted, about),
    )


def by_quarter(losses: Sequence[SampleLoss], about: Mapping[str, Known]) -> dict[str, Loss]:
    """Return the losses by the quarter of a year in which something was said."""
    talks = {name: k.talk for name, k in about.items()}
    return _by(losses, talks, lambda loss: about[loss.id].quarter)


def summed(losses: Sequence[SampleLoss], talks: Mapping[str, str]) -> Loss:
    """Return the loss a token of several samples; those of one talk are not independent."""
    tokens = [float(loss.tokens) for loss in losses]
    groups = [talks.get(loss.id, loss.id) for loss in losses]
    return Loss(
        samples=len(losses),
        tokens=sum(loss.tokens for loss in losses),
        before=ratio([loss.before for loss in losses], tokens, groups),
        after=ratio([loss.after for loss in losses], tokens, groups),
        gain=ratio([loss.before - loss.after for loss in losses], tokens, groups),
    )


def _by(losses: Sequence[SampleLoss], talks: Mapping[str, str], name: Callable[[SampleLoss], str]) -> dict[str, Loss]:
    groups: dict[str, list[SampleLoss]] = defaultdict(list)
    for loss in losses:
        groups[name(loss)].append(loss)
    return {key: summed(groups[key], talks) for key in sorted(groups)}
