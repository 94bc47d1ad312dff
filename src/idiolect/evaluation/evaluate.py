"""One run, from what training measured and what its model file says, to evaluation.json."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from idiolect.dataset import FormattedSample, RenderedSample
from idiolect.evaluation import canaries
from idiolect.evaluation.answers import (
    ANSWER_TOKENS,
    Answers,
    answers,
    asked,
    held_out_talks,
    learned_talks,
    really_said,
)
from idiolect.evaluation.evaluated import Evaluation, Trained
from idiolect.evaluation.fidelity import Loss, fidelity, known, summed
from idiolect.evaluation.memorized import CONTINUED_TOKENS, Recited, long_enough, overlaps, reciting
from idiolect.evaluation.probes import GENERAL, SEEN
from idiolect.evaluation.served import Earlier, Evaluated, read_by_models
from idiolect.evaluation.voice import Voice, voice
from idiolect.serving import load
from idiolect.training import Measured, SampleLoss, TrainingResult

#: Evaluation may take a fifth of the training's time. On the same processor, a token takes a model file about as long
#: to say as it takes to learn; what else is done (held-out losses, statistics) takes about as long again.
_SAID_PER_LEARNED = 1 / 12
#: Fewer prompts tell nothing, more tell little more.
_PROMPTS = range(12, 25)


def trained(measured: Measured, result: TrainingResult, rendered: Sequence[RenderedSample]) -> Trained:
    """Return what the losses that the training process measured come to."""
    about = known(rendered)
    talks = {name: k.talk for name, k in about.items()}
    return Trained(
        fidelity=fidelity(measured.held_out, about),
        general=_of(measured.probes, GENERAL, {}),
        seen=_of(measured.probes, SEEN, {f"{SEEN}{name}": talk for name, talk in talks.items()}),
        canaries=canaries.exposures(measured.probes),
        measured=measured,
        result=result,
    )


def evaluate(run: Evaluated, base: Path, earlier: Earlier | str | None, so_far: Evaluation) -> Evaluation:
    """Let model files speak, and measure them: that of a run, its base's, and that of an earlier run.

    Instead of an earlier run may stand why there can be no comparison. `so_far` has what is known already: whose run
    it is, what it was made of, what training measured.
    """
    missing: dict[str, str] = {}
    if isinstance(earlier, str):
        missing["previous"], earlier = earlier, None
    result = so_far.trained.result
    budget = result.learned_tokens * len(result.loss_by_epoch) * _SAID_PER_LEARNED
    files = {"base": base, "new": run.gguf} | ({"previous": earlier.gguf} if earlier else {})
    count = _prompts(budget, len(files))
    talks = held_out_talks(run.formatted, run.lines, count)
    said, recited = _spoken(run, files, talks, count)
    served, against = read_by_models(run, earlier, so_far.trained.measured, budget)
    own = learned_talks(run.formatted, run.lines)
    texts = [really_said(t) for t in own]
    heard = voice(texts, [t.mode for t in own], said, [t.mode for t in talks]) if talks else None
    return msgspec.structs.replace(
        so_far,
        served=served,
        against=against,
        voice=heard,
        recited=recited,
        verbatim=sum(overlaps(text, texts) for text in said["new"]),
        answers=_answers(talks, said),
        not_measured=missing | _not_measured(so_far.trained, heard, recited),
    )


def _not_measured(trained: Trained, heard: Voice | None, recited: Mapping[str, Recited]) -> dict[str, str]:
    """Say what is lacking, and why."""
    nothing = "Nothing was held out."
    lacking = {
        "fidelity": nothing if trained.fidelity is None else "",
        "voice": nothing if heard is None else "",
        "authorship": "There are too few texts to train a judge on." if heard and not heard.authorship else "",
        "delta": "There are too few words of theirs to tell how they vary." if heard and not heard.delta else "",
        "modes": "There are too few texts of two modes to train judges on." if heard and not heard.modes else "",
        "recitation": "No reply is long enough to be begun and gone on with." if "train" not in recited else "",
    }
    return {name: why for name, why in lacking.items() if why}


def _answers(talks: Sequence[FormattedSample], said: Mapping[str, Sequence[str]]) -> tuple[Answers, ...]:
    return tuple(
        Answers(
            id=talk.id,
            mode=talk.mode,
            prompt=asked(talk)[-1].content,
            **{who: texts[i] for who, texts in said.items()},
        )
        for i, talk in enumerate(talks)
    )


def _prompts(budget: float, models: int) -> int:
    each = ANSWER_TOKENS * models + CONTINUED_TOKENS * 2
    return min(max(int(budget / each), _PROMPTS.start), _PROMPTS.stop - 1)


def _spoken(
    run: Evaluated, files: Mapping[str, Path], talks: Sequence[FormattedSample], count: int
) -> tuple[dict[str, list[str]], dict[str, Recited]]:
    """Let one model after the other answer; the new one also goes on with what it knows, and what it cannot know."""
    said = {}
    recited: dict[str, Recited] = {}
    for who, gguf in files.items():
        model = load(gguf)
        said[who] = answers(model, talks)
        if who == "new":
            tried = {split: long_enough(run.lines, split, count) for split in ("train", "held_out")}
            found = {split: reciting(model, run.tokenizer, texts) for split, texts in tried.items()}
            recited = {split: r for split, r in found.items() if r}
    return {**said, "real": [really_said(t) for t in talks]}, recited


def _of(losses: Sequence[SampleLoss], prefix: str, talks: Mapping[str, str]) -> Loss | None:
    found = [loss for loss in losses if loss.id.startswith(prefix)]
    return summed(found, talks) if found else None
