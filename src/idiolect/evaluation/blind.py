"""The blind test: real and generated answers side by side, and which is which is for the person to say."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from idiolect.evaluation.answers import Answers
from idiolect.evaluation.evaluated import Blind
from idiolect.evaluation.resampling import share


@dataclass(frozen=True)
class Pair:
    """A prompt with two answers, one of which (0 or 1) the person really gave."""

    prompt: str
    answers: tuple[str, str]
    real: int


def pairs(answers: Sequence[Answers], seed: int) -> list[Pair]:
    """Return pairs in an order, and with sides, that say nothing; without those whose model said nothing."""
    lot = random.Random(seed)  # noqa: S311 - to be unpredictable for a reader, not for an attacker
    found = []
    for answer in lot.sample(answers, len(answers)):
        if answer.new.strip():
            # The model's answers end after so many tokens: that alone must not give them away.
            count = min(len(answer.new.split()), len(answer.real.split()))
            real, new = (" ".join(text.split()[:count]) for text in (answer.real, answer.new))
            side = lot.randrange(2)
            found.append(Pair(answer.prompt, (real, new) if side == 0 else (new, real), side))
    return found


def score(asked: Sequence[Pair], chosen: Sequence[int], at: datetime) -> Blind:
    """Return how often the real answer was chosen, with its interval."""
    right = sum(pair.real == choice for pair, choice in zip(asked, chosen, strict=True))
    return Blind(asked=len(chosen), right=right, share=share(right, len(chosen)), at=at)
