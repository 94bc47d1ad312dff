"""Does it sound like them: who is likelier to have written the answers, in which mode, in what style."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

import msgspec

from idiolect.evaluation import authorship, delta
from idiolect.evaluation.resampling import Estimate, mean
from idiolect.evaluation.style import VOCABULARY_WORDS, Style, style, words

#: Texts of the person that a judge learns from, spread over all of them.
_OWN_TEXTS = 240
_OWN_AT_LEAST, _ANSWERS_AT_LEAST = 20, 6
#: Judged are so many words of each text, so that its length does not give it away.
_JUDGED_WORDS = 50


class Authorship(msgspec.Struct, frozen=True, kw_only=True):
    """How likely a judge holds it that the person wrote the answers, by who really did.

    `error` is the judge's own, cross-validated, in telling the person from the base model (0.5 is guessing); `moved`
    is how far the trained model came from the base (0) towards the person (1).
    """

    error: float
    scores: dict[str, Estimate]
    moved: float


class Delta(msgspec.Struct, frozen=True):
    """Burrows's Delta of each one's answers from the person's training texts, and how much of the way was made."""

    distances: dict[str, float]
    moved: float


class Modes(msgspec.Struct, frozen=True):
    """The share of answers that a judge puts into the mode that was asked for; `chance` is what guessing gives."""

    in_mode: dict[str, Estimate]
    chance: float


class Voice(msgspec.Struct, frozen=True, kw_only=True):
    """What answers sound like; keys are base, new, previous and real."""

    mauve: dict[str, float] | None = None
    """MAUVE against what was really said; `real` are other texts of the person."""

    style: dict[str, Style]
    authorship: Authorship | None
    delta: Delta | None
    modes: Modes | None


def voice(
    own: Sequence[str], own_modes: Sequence[str], said: Mapping[str, Sequence[str]], modes: Sequence[str]
) -> Voice:
    """Compare answers with a person's `own` training texts.

    `said` has the answers of base, new and real, and may have those of previous, each to the same prompts; these
    were asked in `modes`.
    """
    step = max(len(own) // _OWN_TEXTS, 1)
    texts = [_first_words(t) for t in own[::step]]
    judged = {who: [_first_words(t) for t in answers] for who, answers in said.items()}
    among = min(VOCABULARY_WORDS, *(sum(len(words(t)) for t in answers) for answers in said.values()))
    return Voice(
        style={who: style(answers, among) for who, answers in said.items()},
        authorship=_authorship(texts, judged),
        delta=_delta(texts, judged),
        modes=_modes(texts, own_modes[::step], judged, modes),
    )


def moved(base: float, new: float, real: float) -> float:
    """Return how far `new` is on the way from `base` to `real`; 0 where there is no way."""
    return (new - base) / (real - base) if abs(real - base) > 1e-9 else 0.0


def _authorship(texts: Sequence[str], judged: Mapping[str, Sequence[str]]) -> Authorship | None:
    if len(texts) < _OWN_AT_LEAST or len(judged["base"]) < _ANSWERS_AT_LEAST:
        return None
    unseen, base = authorship.cross_validated(texts, judged["base"])
    scale = authorship.calibrated(unseen, base)
    judge = authorship.train(texts, judged["base"])
    chances = {who: scale.chances(judge.scores(said)) for who, said in judged.items() if who != "base"}
    scores = {"base": mean(scale.chances(base)), **{who: mean(found) for who, found in chances.items()}}
    return Authorship(
        error=authorship.balanced_error(scale.chances(unseen), scale.chances(base)),
        scores=scores,
        moved=moved(scores["base"].value, scores["new"].value, scores["real"].value),
    )


def _delta(texts: Sequence[str], judged: Mapping[str, Sequence[str]]) -> Delta | None:
    person = delta.profile(texts, judged["base"])
    if person is None:
        return None
    distances = {who: person.delta(said) for who, said in judged.items()}
    return Delta(distances, moved(distances["base"], distances["new"], distances["real"]))


def _modes(
    texts: Sequence[str], own_modes: Sequence[str], judged: Mapping[str, Sequence[str]], asked: Sequence[str]
) -> Modes | None:
    by_mode: dict[str, list[str]] = defaultdict(list)
    for text, mode in zip(texts, own_modes, strict=True):
        by_mode[mode].append(text)
    known = [mode for mode, found in by_mode.items() if len(found) >= _OWN_AT_LEAST]
    tried = [i for i, mode in enumerate(asked) if mode in known]
    if len(known) < 2 or len(tried) < _ANSWERS_AT_LEAST:
        return None
    judges = {
        mode: authorship.train(by_mode[mode], [t for other in known if other != mode for t in by_mode[other]])
        for mode in known
    }
    hits = {}
    for who, said in judged.items():
        chances = {mode: judge.scores([said[i] for i in tried]) for mode, judge in judges.items()}
        guesses = [max(known, key=lambda mode, n=n: chances[mode][n]) for n in range(len(tried))]  # type: ignore[misc]
        hits[who] = mean([float(guess == asked[i]) for guess, i in zip(guesses, tried, strict=True)])
    commonest = Counter(asked[i] for i in tried).most_common(1)[0][1]
    return Modes(hits, commonest / len(tried))


def _first_words(text: str) -> str:
    return " ".join(text.split()[:_JUDGED_WORDS])
