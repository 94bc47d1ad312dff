"""MAUVE: how much of what a model says the person might have said, and the other way round.

K. Pillutla et al., MAUVE: Measuring the Gap Between Neural Text and Human Text using Divergence Frontiers (2021). Texts
are points, the last hidden state of a language model on each; points are put into clusters; P and Q are the shares of
the person's and of the model's texts in each cluster. For mixtures R = w P + (1 - w) Q the curve of
(exp(-c KL(Q|R)), exp(-c KL(P|R))) is drawn; MAUVE is the area under it: 1 if P and Q are the same. As there: c = 5, a
cluster for ten texts of one side, principal components that keep nine tenths of the variance of normalized states.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from idiolect.evaluation.answers import ANSWER_TOKENS
from idiolect.serving import last_states

if TYPE_CHECKING:
    import numpy as np

#: Of fewer texts on each side the figure says more of how many there were than of whose they are.
TEXTS_AT_LEAST = 100

_SCALE = 5.0
_TEXTS_A_CLUSTER = 10
_VARIANCE = 0.9
_MIXTURES = 25
_STARTS, _ROUNDS = 5, 100


def beside_the_person(
    base: Path, tokenizer_json: Path, said: Mapping[str, Sequence[str]], own: Sequence[str]
) -> dict[str, float] | None:
    """Return MAUVE of each one's answers against what was `real`ly said, as the base model's file `base` sees them.

    `real` itself stands for as many of the person's `own` other texts: no model can be asked for more. All texts are
    cut to what an answer may have. Returns None where there are too few.
    """
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(tokenizer_json))
    others = own[:: max(len(own) // max(len(said["real"]), 1), 1)][: len(said["real"])]
    texts = {"person": said["real"], **said, "real": others}
    tokens = {
        who: [ids for t in found if (ids := tokenizer.encode(t, add_special_tokens=False).ids[:ANSWER_TOKENS])]
        for who, found in texts.items()
    }
    if min(map(len, tokens.values())) < TEXTS_AT_LEAST:
        return None
    flat = last_states(base, [ids for found in tokens.values() for ids in found])
    states, start = {}, 0
    for who, found in tokens.items():
        states[who], start = flat[start : start + len(found)], start + len(found)
    person = states.pop("person")
    return {who: mauve(person, found) for who, found in states.items()}


def mauve(person: np.ndarray, model: np.ndarray) -> float:
    """Return MAUVE of two samples of hidden states, (texts, hidden) each."""
    import numpy as np

    points = _reduced(np.concatenate([person, model]).astype(float))
    count = max(round(min(len(person), len(model)) / _TEXTS_A_CLUSTER), 2)
    cluster = _clustered(points, count)
    p, q = (np.bincount(c, minlength=count) / len(c) for c in (cluster[: len(person)], cluster[len(person) :]))
    return area(p, q)


def area(p: np.ndarray, q: np.ndarray) -> float:
    """Return the area under the divergence curve of two distributions over the same clusters."""
    import numpy as np

    weights = np.linspace(1.0, 0.0, _MIXTURES + 2)[1:-1]
    mixtures = [w * p + (1 - w) * q for w in weights]
    across = np.exp([-_SCALE * _divergence(q, r) for r in mixtures])
    up = np.exp([-_SCALE * _divergence(p, r) for r in mixtures])
    # Where R is one of the two, one divergence is nothing and the other, at worst, without end.
    across, up = np.array([0.0, *across, 1.0]), np.array([1.0, *up, 0.0])
    return float(np.sum(np.diff(across) * (up[1:] + up[:-1]) / 2))


def _divergence(p: np.ndarray, r: np.ndarray) -> float:
    """Return the Kullback-Leibler divergence of p from r, in nats; r has what p has."""
    import numpy as np

    there = p > 0
    return float(np.sum(p[there] * np.log(p[there] / r[there])))


def _reduced(states: np.ndarray) -> np.ndarray:
    """Return normalized states in as few principal components as keep most of their variance."""
    import numpy as np

    states = states / np.maximum(np.linalg.norm(states, axis=1, keepdims=True), 1e-12)
    left, spread, _ = np.linalg.svd(states - states.mean(axis=0), full_matrices=False)
    kept = np.cumsum(spread**2) / max(float((spread**2).sum()), 1e-12)
    few = int(np.searchsorted(kept, _VARIANCE)) + 1
    return np.asarray(left[:, :few] * spread[:few])


def _clustered(points: np.ndarray, count: int) -> np.ndarray:
    """Return each point's cluster: Lloyd's k-means, the best of several starts (which are the same each time)."""
    import numpy as np

    lot = np.random.default_rng(0)
    best, least = np.zeros(len(points), dtype=int), np.inf
    for _ in range(_STARTS):
        centers = points[lot.choice(len(points), count, replace=False)]
        nearest = np.full(len(points), -1)
        for _ in range(_ROUNDS):
            squares = (points**2).sum(axis=1)[:, None] - 2 * points @ centers.T + (centers**2).sum(axis=1)
            before, nearest = nearest, squares.argmin(axis=1)
            if (before == nearest).all():
                break
            filled = np.unique(nearest)
            centers[filled] = [points[nearest == c].mean(axis=0) for c in filled]
        if (spread := float(squares.min(axis=1).sum())) < least:
            best, least = nearest, spread
    return best
