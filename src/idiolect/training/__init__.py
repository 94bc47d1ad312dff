"""Training text → weights: the job bundle, the rows that a model sees, the one training loop, its progress."""

from idiolect.training.bundle import (
    OPTIONS,
    Job,
    Measured,
    SampleLoss,
    TrainingResult,
    is_trained,
    read_measured,
    read_result,
    write_bundle,
)
from idiolect.training.events import Event, Failed, Finished, HeldOut, Moved, Note, Started, Stepped, decode, mend
from idiolect.training.judge import mean_loss
from idiolect.training.picture import loss_picture
from idiolect.training.tokens import TokenizedSample, tokenize

__all__ = [
    "OPTIONS",
    "Event",
    "Failed",
    "Finished",
    "HeldOut",
    "Job",
    "Measured",
    "Moved",
    "Note",
    "SampleLoss",
    "Started",
    "Stepped",
    "TokenizedSample",
    "TrainingResult",
    "decode",
    "is_trained",
    "loss_picture",
    "mean_loss",
    "mend",
    "read_measured",
    "read_result",
    "tokenize",
    "write_bundle",
]
