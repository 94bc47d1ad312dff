"""Who wrote this: a logistic regression over character trigrams and frequent words, that says how well it can tell.

Features as in the PAN shared tasks on authorship verification (Stamatatos, A Survey of Modern Authorship Attribution
Methods, 2009): character n-grams and function words carry style more than subject. Trained by Newton's method with a
ridge; so small that a library for it would cost more than it saves.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from idiolect.evaluation.style import words

if TYPE_CHECKING:
    import numpy as np

_TRIGRAMS, _WORDS = 250, 50
_RIDGE = 1.0
_STEPS = 25
FOLDS = 10


@dataclass(frozen=True)
class Judge:
    """A trained classifier: features, their scale, and weights (the last is the intercept)."""

    features: tuple[str, ...]
    middle: np.ndarray
    scale: np.ndarray
    weights: np.ndarray

    def scores(self, texts: Sequence[str]) -> list[float]:
        """Return each text's score: the higher, the likelier of the first kind."""
        import numpy as np

        x = (np.array([_counted(t, self.features) for t in texts]) - self.middle) / self.scale
        return [float(score) for score in np.column_stack([x, np.ones(len(x))]) @ self.weights]


@dataclass(frozen=True)
class Calibration:
    """What turns scores into chances, learned from texts that the judge had not seen when it scored them."""

    slope: float
    shift: float

    def chances(self, scores: Sequence[float]) -> list[float]:
        import numpy as np

        return [float(p) for p in _sigmoid(self.slope * np.array(scores) + self.shift)]


def train(ours: Sequence[str], theirs: Sequence[str]) -> Judge:
    """Train a judge that tells texts of one kind from those of another; both kinds weigh the same."""
    import numpy as np

    features = _features([*ours, *theirs])
    x = np.array([_counted(t, features) for t in (*ours, *theirs)])
    middle, scale = x.mean(axis=0), np.maximum(x.std(axis=0), 1e-6)
    # A ridge that grows with the features keeps few texts from being told apart by chance alone.
    weights = _fitted((x - middle) / scale, len(ours), _RIDGE * len(features) / 10)
    return Judge(features, middle, scale, weights)


def cross_validated(ours: Sequence[str], theirs: Sequence[str]) -> tuple[list[float], list[float]]:
    """Return each text's score by a judge that has not seen it (ten folds)."""
    judged = ([0.0] * len(ours), [0.0] * len(theirs))
    for fold in range(FOLDS):
        judge = train(*([t for i, t in enumerate(kind) if i % FOLDS != fold] for kind in (ours, theirs)))
        for kind, into in zip((ours, theirs), judged, strict=True):
            unseen = range(fold, len(kind), FOLDS)
            for i, score in zip(unseen, judge.scores([kind[i] for i in unseen]) if unseen else (), strict=True):
                into[i] = score
    return judged


def calibrated(ours: Sequence[float], theirs: Sequence[float]) -> Calibration:
    """Learn how scores become chances: J. Platt, Probabilistic Outputs for Support Vector Machines (1999)."""
    import numpy as np

    scores = np.array([*ours, *theirs])
    spread = max(float(scores.std()), 1e-6)
    slope, shift = _fitted(scores[:, None] / spread, len(ours), ridge=0.5)
    return Calibration(float(slope) / spread, float(shift))


def _fitted(x: np.ndarray, ours: int, ridge: float) -> np.ndarray:
    """Return the weights of a logistic regression, the intercept last; the first `ours` rows are of the first kind."""
    import numpy as np

    x = np.column_stack([x, np.ones(len(x))])
    y = np.arange(len(x)) < ours
    each = np.where(y, 0.5 / ours, 0.5 / (len(x) - ours)) * len(x)
    penalty = np.diag([ridge] * (x.shape[1] - 1) + [1e-6])
    weights = np.zeros(x.shape[1])
    for _ in range(_STEPS):
        p = _sigmoid(x @ weights)
        gradient = x.T @ (each * (p - y)) + penalty @ weights
        curvature = (x * (each * p * (1 - p))[:, None]).T @ x + penalty
        step = np.linalg.solve(curvature, gradient)
        weights -= step
        if np.abs(step).max() < 1e-6:
            break
    return weights


def balanced_error(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """Return the mean of both kinds' shares that are judged wrongly: 0.5 is guessing."""
    return (sum(p < 0.5 for p in ours) / len(ours) + sum(p >= 0.5 for p in theirs) / len(theirs)) / 2


def _features(texts: Sequence[str]) -> tuple[str, ...]:
    """Choose the commonest trigrams of characters, and the commonest words (marked by a blank before them)."""
    trigrams = Counter(g for t in texts for g in _trigrams(t))
    common = Counter(w for t in texts for w in words(t))
    chosen = [g for g, _ in trigrams.most_common(_TRIGRAMS)]
    return (*chosen, *(f"word {w}" for w, _ in common.most_common(_WORDS)))


def _counted(text: str, features: Sequence[str]) -> list[float]:
    """Return the square roots of relative frequencies: long texts and loud features count less."""
    grams, said = _trigrams(text), words(text)
    counts: Counter[str] = Counter(grams)
    for word in said:
        counts[f"word {word}"] += 1
    totals = (max(len(said), 1), max(len(grams), 1))
    return [(counts[f] / totals[0 if f.startswith("word ") else 1]) ** 0.5 for f in features]


def _trigrams(text: str) -> list[str]:
    shown = " ".join(text.lower().split())
    return [shown[i : i + 3] for i in range(len(shown) - 2)]


def _sigmoid(x: np.ndarray) -> np.ndarray:
    import numpy as np

    squashed: np.ndarray = 1 / (1 + np.exp(-np.clip(x, -30, 30)))
    return squashed
