"""evaluation.json: all that was measured of a run, and all that its report shows."""

from __future__ import annotations

from datetime import datetime

import msgspec

from idiolect.dataset import Quality
from idiolect.evaluation.answers import Answers
from idiolect.evaluation.canaries import Canary
from idiolect.evaluation.fidelity import Fidelity, Loss
from idiolect.evaluation.memorized import Recited
from idiolect.evaluation.model_files import Quantized
from idiolect.evaluation.resampling import Estimate
from idiolect.evaluation.voice import Voice
from idiolect.training import Measured, TrainingResult


class Trained(msgspec.Struct, frozen=True, kw_only=True):
    """What the training process measured, on the weights before they were quantized."""

    fidelity: Fidelity | None
    general: Loss | None
    """Our general questions: a loss here is what the model forgot."""
    seen: Loss | None
    """Some of what it was trained on, to compare its gain with that on what it never saw."""
    canaries: tuple[Canary, ...]
    measured: Measured
    result: TrainingResult


class Against(msgspec.Struct, frozen=True, kw_only=True):
    """The model files of an earlier run (before) and of this one (after), on what neither was trained on."""

    label: str
    now: Loss | None
    """On what this run held out."""
    then: Loss | None
    """On what the earlier run held out, and was judged by."""
    by_quarter: dict[str, Loss]


class Month(msgspec.Struct, frozen=True, kw_only=True):
    """An earlier run (before) beside this one (after), both unquantized, on what both held out and were asked."""

    label: str
    published: bool
    """It was published once, or is."""
    all: Loss | None
    by_quarter: dict[str, Loss]
    general: Loss | None


class Parity(msgspec.Struct, frozen=True):
    """How many talks the model file renders as training does, and where it parts from it (nowhere, if it is fit)."""

    talks: int
    differences: list[str]


class MadeOf(msgspec.Struct, frozen=True, kw_only=True):
    """What the run cost and was made of."""

    quality: Quality
    memories: dict[str, int]
    """The ledger's totals: trained on, held out, or dropped by which rule."""
    seconds: dict[str, float]
    """Step → how long it took."""
    gguf_bytes: int
    cost_dollars: float = 0.0
    """What a rented machine took for the training; this one costs nothing."""


class Blind(msgspec.Struct, frozen=True, kw_only=True):
    """How often the person told their own words from the model's; 0.5 would be guessing."""

    asked: int
    right: int
    share: Estimate
    at: datetime


class Evaluation(msgspec.Struct, frozen=True, kw_only=True):
    """One run, evaluated. What is None could not be measured; `not_measured` says why."""

    format: int = 1
    person: str
    label: str
    cycle: str
    base_model: str
    quantization: str
    made_of: MadeOf
    trained: Trained
    served: Loss | None = None
    """The model file as llama.cpp serves it: before are the weights that were trained, after the quantized ones."""
    quantizations: tuple[Quantized, ...] = ()
    """Model files of these weights, the smallest first, each beside the weights; not all of them are kept."""
    parity: Parity | None = None
    against: Against | None = None
    months: tuple[Month, ...] = ()
    """Earlier runs that began with the same base model, the oldest first."""
    voice: Voice | None = None
    recited: dict[str, Recited] = {}
    """train, held_out → how often greedy continuations recite."""
    verbatim: int | None = None
    """How many free answers have eight words in a row from the training texts."""
    answers: tuple[Answers, ...] = ()
    blind: Blind | None = None
    not_measured: dict[str, str] = {}


def read_evaluation(content: bytes) -> Evaluation:
    return msgspec.json.decode(content, type=Evaluation)
