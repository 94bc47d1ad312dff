"""Held-out replies as model files see them: what quantization costs, and which of two files knows the person better."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from idiolect.dataset import FormattedSample, RenderedSample, TrainingText
from idiolect.evaluation.evaluated import Against
from idiolect.evaluation.fidelity import Loss, by_quarter, known, summed
from idiolect.serving import likelihood_losses
from idiolect.training import Measured, SampleLoss, tokenize

#: So many tokens are read in the time in which one is said.
_READ_PER_SAID = 3


@dataclass(frozen=True)
class Evaluated:
    """The files of one run that is to be judged."""

    label: str
    gguf: Path
    formatted: Sequence[FormattedSample]
    rendered: Sequence[RenderedSample]
    lines: Sequence[TrainingText]
    tokenizer: Path


@dataclass(frozen=True)
class Earlier:
    """A run to compare with: its label, its model file, and its data set."""

    label: str
    gguf: Path
    lines: Sequence[TrainingText]
    rendered: Sequence[RenderedSample]


#: Text → its learned tokens and their summed loss. By its words: a memory may have been written anew since then.
_Losses = Mapping[str, tuple[int, float]]


def read_by_models(
    run: Evaluated, earlier: Earlier | None, measured: Measured, budget: float
) -> tuple[Loss | None, Against | None]:
    """Return the loss of a run's weights (before) and model file (after), and that of two runs' model files.

    Two are compared on what neither was trained on. `budget` is how many tokens might be said in the time.
    """
    learned = {t.id for t in (*run.lines, *(earlier.lines if earlier else ())) if t.split == "train"}
    held = _within((t for t in run.lines if t.split == "held_out"), budget)
    then = _within((t for t in (earlier.lines if earlier else ()) if t.split == "held_out"), budget)
    now, then = ([t for t in texts if t.id not in learned] for texts in (held, then))
    ours = _read(run.gguf, [*held, *then], run.tokenizer)
    served = _served(held, ours, measured, run)
    if earlier is None:
        return served, None
    theirs = _read(earlier.gguf, [*now, *then], run.tokenizer)
    about = known([*earlier.rendered, *run.rendered])
    talks = {name: k.talk for name, k in about.items()}
    both = {t.text: t for t in (*then, *now)}
    return served, Against(
        label=earlier.label,
        now=_loss(_compared(now, theirs, ours), talks),
        then=_loss(_compared(then, theirs, ours), talks),
        by_quarter=by_quarter(_compared(both.values(), theirs, ours), about),
    )


def _served(held: Sequence[TrainingText], ours: _Losses, measured: Measured, run: Evaluated) -> Loss | None:
    after = {loss.id: loss.after for loss in measured.held_out}
    talks = {name: k.talk for name, k in known(run.rendered).items()}
    return _loss(
        [SampleLoss(t.id, ours[t.text][0], after[t.id], ours[t.text][1]) for t in held if t.id in after], talks
    )


def _compared(texts: Iterable[TrainingText], before: _Losses, after: _Losses) -> list[SampleLoss]:
    return [SampleLoss(t.id, after[t.text][0], before[t.text][1], after[t.text][1]) for t in texts]


def _read(gguf: Path, texts: Sequence[TrainingText], tokenizer: Path) -> _Losses:
    once = list({t.text: t for t in texts}.values())
    samples = tokenize(once, tokenizer)
    losses = likelihood_losses(gguf, samples)
    return {t.text: (s.learned_tokens, loss) for t, s, loss in zip(once, samples, losses, strict=True)}


def _within(texts: Iterable[TrainingText], budget: float) -> list[TrainingText]:
    """Return as many texts, spread over all, as can be read in time; a token is four characters or so."""
    found = list(texts)
    tokens = sum(len(t.text) for t in found) / 4
    step = max(round(tokens / (_READ_PER_SAID * budget)), 1) if budget else 1
    return found[::step]


def _loss(losses: Sequence[SampleLoss], talks: Mapping[str, str]) -> Loss | None:
    return summed(losses, talks) if losses else None
