"""One run, from what training measured and what its model file says, to evaluation.json."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import msgspec

from idiolect.dataset import FormattedSample, RenderedSample, TrainingText
from idiolect.errors import NoRoom
from idiolect.evaluation import canaries
from idiolect.evaluation.answers import (
    ANSWER_TOKENS,
    Answers,
    asked,
    held_out_talks,
    learned_talks,
    really_said,
    that_fit,
)
from idiolect.evaluation.evaluated import Evaluation, Parity, Trained
from idiolect.evaluation.fidelity import Loss, fidelity, known, summed
from idiolect.evaluation.heard import Heard, Losses, recall, remember
from idiolect.evaluation.mauve import TEXTS_AT_LEAST, beside_the_person
from idiolect.evaluation.memorized import CONTINUED_TOKENS, Recited, long_enough, overlaps, reciting
from idiolect.evaluation.model_files import ModelFile
from idiolect.evaluation.probes import GENERAL, SEEN
from idiolect.evaluation.served import (
    Compared,
    Earlier,
    Evaluated,
    against,
    quantized,
    read_other,
    served,
    to_compare,
)
from idiolect.evaluation.side_by_side import Job, Share, side_by_side
from idiolect.evaluation.voice import Voice, voice
from idiolect.export import numpy_on_threads
from idiolect.serving import by_llama_cpp, by_training, differences, load
from idiolect.training import Measured, SampleLoss, TrainingResult

#: Evaluation may take a fifth of the training's time. On the same processor, a token takes a model file about as long
#: to say as it takes to learn; what else is done (held-out losses, statistics) takes about as long again.
_SAID_PER_LEARNED = 1 / 12
#: Fewer prompts tell nothing, more tell little more.
_PROMPTS = range(12, 25)
#: So many times as many are looked at, since a few may be longer than a model holds.
_SPARE = 4
#: Replies that are begun, for each prompt: what was never seen is hardly ever gone on with, which few tries show.
_SPLITS = {"train": 1.0, "held_out": 0.5}


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


def evaluate(  # noqa: PLR0913 - whom it asks, and what is known already
    run: Evaluated,
    base: Path,
    earlier: Earlier | str | None,
    so_far: Evaluation,
    *,
    heard_before: Path,
    prompts: int | None = None,
) -> Evaluation:
    """Let model files speak, and measure them: that of a run, its base's, that of an earlier run, its other ones.

    Instead of an earlier run may stand why there can be no comparison. `so_far` has what is known already: whose run
    it is, what it was made of, what training measured. `heard_before` is the file that has what model files have said
    before, and has afterwards what they say now. `prompts` is how many are asked, where that is not to follow from how
    long training took.
    """
    missing: dict[str, str] = {}
    if isinstance(earlier, str):
        missing["previous"], earlier = earlier, None
    result, measured = so_far.trained.result, so_far.trained.measured
    budget = result.learned_tokens * len(result.loss_by_epoch) * _SAID_PER_LEARNED
    files = {"base": base, "new": run.gguf} | ({"previous": earlier.gguf} if earlier else {})
    count = prompts or _prompts(budget, len(files))
    candidates = held_out_talks(run.formatted, run.lines, count * _SPARE)
    talks = that_fit(candidates, run.template, run.tokenizer, run.context)[:count]
    texts = to_compare(run, earlier, budget)
    heard = recall(heard_before, files)
    jobs = _jobs(run, files, heard, talks, texts)
    found = side_by_side(jobs, max(file.stat().st_size for file in files.values()))
    remember(heard_before, files, heard)
    ours = found["read new"]
    of_each = {run.quantization: (run.gguf.stat().st_size, ours)}
    for other in run.others:
        if isinstance(read := found[f"read {other.quantization}"], NoRoom):
            missing[other.quantization] = read.problem
        else:
            of_each[other.quantization] = read
    said = {who: found[who] for who in files} | {"real": [really_said(t) for t in talks]}
    recited = found["recite"]
    own = learned_talks(run.formatted, run.lines)
    learned = [really_said(t) for t in own]
    sounds = _voice(run, base, own, said, talks)
    return msgspec.structs.replace(
        so_far,
        parity=found["parity"],
        served=served(run, texts.held, ours, measured),
        quantizations=quantized(run, texts.held, of_each, measured),
        against=against(run, earlier, texts, found["read previous"], ours) if earlier else None,
        voice=sounds,
        recited=recited,
        verbatim=sum(overlaps(text, learned) for text in said["new"]),
        answers=_answers(talks, said),
        not_measured=missing | _not_measured(so_far.trained, sounds, recited),
    )


def _jobs(
    run: Evaluated,
    files: Mapping[str, Path],
    heard: Mapping[str, Heard],
    talks: Sequence[FormattedSample],
    texts: Compared,
) -> dict[str, Job]:
    """Return what model files are asked for, the longest first: each job has its files for itself."""
    jobs: dict[str, Job] = {who: partial(heard[who].answered, file, talks, run.context) for who, file in files.items()}
    tried = {
        split: long_enough(run.lines, split, round(len(talks) * share_of_tries))
        for split, share_of_tries in _SPLITS.items()
    }
    jobs["recite"] = partial(_recited, run, tried)
    compared = [*texts.now, *texts.then]
    jobs["read new"] = partial(heard["new"].read, run.gguf, [*texts.held, *compared], run.tokenizer)
    if "previous" in files:
        jobs["read previous"] = partial(heard["previous"].read, files["previous"], compared, run.tokenizer)
    for other in run.others:
        jobs[f"read {other.quantization}"] = partial(_read_if_there_is_room, run, other, texts.held)
    return jobs | {"parity": partial(_parity, run)}


def _recited(run: Evaluated, tried: Mapping[str, Sequence[TrainingText]], share: Share) -> dict[str, Recited]:
    """Return how often the rest of each split's texts comes out, where there are any to try."""
    if not any(tried.values()):
        return {}
    model = load(run.gguf, run.context + CONTINUED_TOKENS, threads=share.threads)
    found = {split: reciting(model, run.tokenizer, share.each(texts)) for split, texts in tried.items()}
    return {split: recited for split, recited in found.items() if recited}


def _read_if_there_is_room(
    run: Evaluated, other: ModelFile, texts: Sequence[TrainingText], share: Share
) -> tuple[int, Losses] | NoRoom:
    try:
        return read_other(other, texts, run.tokenizer, share)
    except NoRoom as full:
        return full


def _parity(run: Evaluated, share: Share) -> Parity:
    trained = by_training(run.template, run.tokenizer)
    rendered = by_llama_cpp(load(run.gguf, warm_up=False, threads=share.threads))
    return Parity(len(trained), differences(trained, rendered))


def _voice(
    run: Evaluated,
    base: Path,
    own: Sequence[FormattedSample],
    said: Mapping[str, Sequence[str]],
    talks: Sequence[FormattedSample],
) -> Voice | None:
    """Compare answers with what the person said in their `own` talks; None where nobody was asked anything."""
    if not talks:
        return None
    learned = [really_said(t) for t in own]
    # Its matrices are so small that threads would wait for each other most of the time.
    with numpy_on_threads(1):
        found = voice(learned, [t.mode for t in own], said, [t.mode for t in talks])
        return msgspec.structs.replace(found, mauve=beside_the_person(base, run.tokenizer, said, learned))


def _not_measured(trained: Trained, sounds: Voice | None, recited: Mapping[str, Recited]) -> dict[str, str]:
    """Say what is lacking, and why."""
    nothing = "Nothing was held out."
    lacking = {
        "fidelity": nothing if trained.fidelity is None else "",
        "voice": nothing if sounds is None else "",
        "authorship": "There are too few texts to train a judge on." if sounds and not sounds.authorship else "",
        "delta": "There are too few words of theirs to tell how they vary." if sounds and not sounds.delta else "",
        "mauve": f"It wants {TEXTS_AT_LEAST} answers and more: idiolect evaluate --prompts, if so much is held out."
        if sounds and not sounds.mauve
        else "",
        "modes": "There are too few texts of two modes to train judges on." if sounds and not sounds.modes else "",
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
    each = ANSWER_TOKENS * models + CONTINUED_TOKENS * sum(_SPLITS.values())
    return min(max(int(budget / each), _PROMPTS.start), _PROMPTS.stop - 1)


def _of(losses: Sequence[SampleLoss], prefix: str, talks: Mapping[str, str]) -> Loss | None:
    found = [loss for loss in losses if loss.id.startswith(prefix)]
    return summed(found, talks) if found else None
