"""Held-out replies as model files see them: what quantization costs, and which of two files knows the person better."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from idiolect.dataset import ChatTemplate, FormattedSample, RenderedSample, TrainingText
from idiolect.evaluation.evaluated import Against
from idiolect.evaluation.fidelity import Loss, by_quarter, known, summed
from idiolect.evaluation.heard import Heard, Losses
from idiolect.evaluation.model_files import ModelFile, Quantized
from idiolect.evaluation.side_by_side import Share
from idiolect.training import Measured, SampleLoss

#: So many tokens are read of what two runs are compared by, and of what files of one model are, in the time in which
#: one is said. Files of one model part little and all the same way, so that few replies tell how much.
_COMPARED_PER_SAID, _OF_EACH_FILE_PER_SAID = 3, 1 / 2
#: So many replies are read of each file in any case.
_AT_LEAST = 8


@dataclass(frozen=True)
class Evaluated:
    """The files of one run that is to be judged, and those that its weights could become as well."""

    label: str
    gguf: Path
    quantization: str
    others: Sequence[ModelFile]
    formatted: Sequence[FormattedSample]
    rendered: Sequence[RenderedSample]
    lines: Sequence[TrainingText]
    tokenizer: Path
    template: ChatTemplate
    context: int
    """Tokens that its texts had at most: what model files are asked with room for."""


@dataclass(frozen=True)
class Earlier:
    """A run to compare with: its label, its model file, and its data set."""

    label: str
    gguf: Path
    lines: Sequence[TrainingText]
    rendered: Sequence[RenderedSample]


@dataclass(frozen=True)
class Compared:
    """The texts that files are judged by: of one model `held`, of two runs what is held out `now`, and was `then`."""

    held: Sequence[TrainingText]
    now: Sequence[TrainingText] = ()
    then: Sequence[TrainingText] = ()


def to_compare(run: Evaluated, earlier: Earlier | None, budget: float) -> Compared:
    """Choose the texts. `budget` is how many tokens might be said in the time; two runs learned from none of theirs."""
    held = [t for t in run.lines if t.split == "held_out"]
    few = _within(held, budget * _OF_EACH_FILE_PER_SAID)
    if earlier is None:
        return Compared(few)
    learned = {t.id for t in (*run.lines, *earlier.lines) if t.split == "train"}
    before = [t for t in earlier.lines if t.split == "held_out"]
    now, then = (_within(texts, budget * _COMPARED_PER_SAID) for texts in (held, before))
    return Compared(few, *([t for t in texts if t.id not in learned] for texts in (now, then)))


def read_other(other: ModelFile, texts: Sequence[TrainingText], tokenizer: Path, share: Share) -> tuple[int, Losses]:
    """Return the size of another file of the same model, and the losses of texts under it."""
    with other.at_hand() as gguf:
        return gguf.stat().st_size, Heard().read(gguf, texts, tokenizer, share)


def quantized(
    run: Evaluated, texts: Sequence[TrainingText], files: Mapping[str, tuple[int, Losses]], measured: Measured
) -> tuple[Quantized, ...]:
    """Return what each file (quantization → size and losses) loses against the trained weights; the smallest first."""
    losses = {name: served(run, texts, seen, measured) for name, (_, seen) in files.items()}
    found = [
        Quantized(quantization=name, bytes=files[name][0], loss=loss)
        for name, loss in losses.items()
        if loss is not None
    ]
    return tuple(sorted(found, key=lambda q: q.bytes))


def served(run: Evaluated, texts: Sequence[TrainingText], seen: Losses, measured: Measured) -> Loss | None:
    """Return the loss of the trained weights (before) and of a file of them (after) on texts that both have read."""
    trained = {loss.id: loss.after for loss in measured.held_out}
    talks = {name: k.talk for name, k in known(run.rendered).items()}
    both = [t for t in texts if t.id in trained and t.text in seen]
    return _loss([SampleLoss(t.id, seen[t.text][0], trained[t.id], seen[t.text][1]) for t in both], talks)


def against(run: Evaluated, earlier: Earlier, texts: Compared, theirs: Losses, ours: Losses) -> Against:
    """Return the losses of two runs' model files, the earlier one's first."""
    about = known([*earlier.rendered, *run.rendered])
    talks = {name: k.talk for name, k in about.items()}
    both = {t.text: t for t in (*texts.then, *texts.now)}
    return Against(
        label=earlier.label,
        now=_loss(_compared(texts.now, theirs, ours), talks),
        then=_loss(_compared(texts.then, theirs, ours), talks),
        by_quarter=by_quarter(_compared(both.values(), theirs, ours), about),
    )


def _compared(texts: Iterable[TrainingText], before: Losses, after: Losses) -> list[SampleLoss]:
    return [SampleLoss(t.id, after[t.text][0], before[t.text][1], after[t.text][1]) for t in texts]


def _within(texts: Sequence[TrainingText], tokens: float) -> list[TrainingText]:
    """Return about so many tokens' worth of texts, spread over all; a token is four characters or so."""
    there = sum(len(t.text) for t in texts) / 4
    wanted = max(round(len(texts) * tokens / there), _AT_LEAST) if there else 0
    step = max(len(texts) // wanted, 1) if wanted else 1
    return list(texts[::step])


def _loss(losses: Sequence[SampleLoss], talks: Mapping[str, str]) -> Loss | None:
    return summed(losses, talks) if losses else None
