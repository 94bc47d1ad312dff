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
    answers,
    asked,
    held_out_talks,
    learned_talks,
    really_said,
)
from idiolect.evaluation.evaluated import Evaluation, Parity, Trained
from idiolect.evaluation.fidelity import Loss, fidelity, known, summed
from idiolect.evaluation.mauve import TEXTS_AT_LEAST, beside_the_person
from idiolect.evaluation.memorized import CONTINUED_TOKENS, Recited, long_enough, overlaps, reciting
from idiolect.evaluation.model_files import ModelFile
from idiolect.evaluation.probes import GENERAL, SEEN
from idiolect.evaluation.served import (
    Compared,
    Earlier,
    Evaluated,
    Losses,
    against,
    quantized,
    read,
    read_other,
    served,
    to_compare,
)
from idiolect.evaluation.side_by_side import Job, Share, side_by_side
from idiolect.evaluation.voice import Voice, voice
from idiolect.serving import by_llama_cpp, by_training, differences, load
from idiolect.training import Measured, SampleLoss, TrainingResult

#: Evaluation may take a fifth of the training's time. On the same processor, a token takes a model file about as long
#: to say as it takes to learn; what else is done (held-out losses, statistics) takes about as long again.
_SAID_PER_LEARNED = 1 / 12
#: Fewer prompts tell nothing, more tell little more.
_PROMPTS = range(12, 25)
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


def evaluate(
    run: Evaluated, base: Path, earlier: Earlier | str | None, so_far: Evaluation, prompts: int | None = None
) -> Evaluation:
    """Let model files speak, and measure them: that of a run, its base's, that of an earlier run, its other ones.

    Instead of an earlier run may stand why there can be no comparison. `so_far` has what is known already: whose run
    it is, what it was made of, what training measured. `prompts` is how many are asked, where that is not to follow
    from how long training took.
    """
    missing: dict[str, str] = {}
    if isinstance(earlier, str):
        missing["previous"], earlier = earlier, None
    result, measured = so_far.trained.result, so_far.trained.measured
    budget = result.learned_tokens * len(result.loss_by_epoch) * _SAID_PER_LEARNED
    files = {"base": base, "new": run.gguf} | ({"previous": earlier.gguf} if earlier else {})
    talks = held_out_talks(run.formatted, run.lines, prompts or _prompts(budget, len(files)))
    texts = to_compare(run, earlier, budget)
    found = side_by_side(_jobs(run, files, earlier, talks, texts), max(file.stat().st_size for file in files.values()))
    ours = found["read new"]
    of_each = {run.quantization: (run.gguf.stat().st_size, ours)}
    for other in run.others:
        if isinstance(read := found[f"read {other.quantization}"], NoRoom):
            missing[other.quantization] = read.problem
        else:
            of_each[other.quantization] = read
    said = {who: found[who] for who in files} | {"real": [really_said(t) for t in talks]}
    recited = {split: r for split in _SPLITS if (r := found[f"recite {split}"])}
    own = learned_talks(run.formatted, run.lines)
    learned = [really_said(t) for t in own]
    heard = voice(learned, [t.mode for t in own], said, [t.mode for t in talks]) if talks else None
    if heard:
        heard = msgspec.structs.replace(heard, mauve=beside_the_person(base, run.tokenizer, said, learned))
    return msgspec.structs.replace(
        so_far,
        parity=found["parity"],
        served=served(run, texts.held, ours, measured),
        quantizations=quantized(run, texts.held, of_each, measured),
        against=against(run, earlier, texts, found["read previous"], ours) if earlier else None,
        voice=heard,
        recited=recited,
        verbatim=sum(overlaps(text, learned) for text in said["new"]),
        answers=_answers(talks, said),
        not_measured=missing | _not_measured(so_far.trained, heard, recited),
    )


def _jobs(
    run: Evaluated,
    files: Mapping[str, Path],
    earlier: Earlier | None,
    talks: Sequence[FormattedSample],
    texts: Compared,
) -> dict[str, Job]:
    """Return what model files are asked for, the longest first: each job has its files for itself."""
    jobs: dict[str, Job] = {who: partial(_answered, file, talks) for who, file in files.items()}
    for split, share_of_tries in _SPLITS.items():
        tried = long_enough(run.lines, split, round(len(talks) * share_of_tries))
        jobs[f"recite {split}"] = partial(_recited, run, tried)
    compared = [*texts.now, *texts.then]
    jobs["read new"] = partial(read, run.gguf, [*texts.held, *compared], run.tokenizer)
    if earlier:
        jobs["read previous"] = partial(read, earlier.gguf, compared, run.tokenizer)
    for other in run.others:
        jobs[f"read {other.quantization}"] = partial(_read_if_there_is_room, run, other, texts.held)
    return jobs | {"parity": partial(_parity, run)}


def _answered(gguf: Path, talks: Sequence[FormattedSample], share: Share) -> list[str]:
    return answers(load(gguf, threads=share.threads), share.each(talks))


def _recited(run: Evaluated, texts: Sequence[TrainingText], share: Share) -> Recited | None:
    return reciting(load(run.gguf, threads=share.threads), run.tokenizer, share.each(texts)) if texts else None


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


def _not_measured(trained: Trained, heard: Voice | None, recited: Mapping[str, Recited]) -> dict[str, str]:
    """Say what is lacking, and why."""
    nothing = "Nothing was held out."
    lacking = {
        "fidelity": nothing if trained.fidelity is None else "",
        "voice": nothing if heard is None else "",
        "authorship": "There are too few texts to train a judge on." if heard and not heard.authorship else "",
        "delta": "There are too few words of theirs to tell how they vary." if heard and not heard.delta else "",
        "mauve": f"It wants {TEXTS_AT_LEAST} answers and more: idiolect evaluate --prompts, if so much is held out."
        if heard and not heard.mauve
        else "",
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
    each = ANSWER_TOKENS * models + CONTINUED_TOKENS * sum(_SPLITS.values())
    return min(max(int(budget / each), _PROMPTS.start), _PROMPTS.stop - 1)


def _of(losses: Sequence[SampleLoss], prefix: str, talks: Mapping[str, str]) -> Loss | None:
    found = [loss for loss in losses if loss.id.startswith(prefix)]
    return summed(found, talks) if found else None
