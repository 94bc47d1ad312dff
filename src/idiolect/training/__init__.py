"""Training text → weights: the job bundle, the rows that a model sees, the one training loop, its progress."""

from idiolect.training.bundle import OPTIONS, Job, TrainingResult, read_result, write_bundle
from idiolect.training.events import Event, Finished, HeldOut, Note, Started, Stepped, decode

__all__ = [
    "OPTIONS",
    "Event",
    "Finished",
    "HeldOut",
    "Job",
    "Note",
    "Started",
    "Stepped",
    "TrainingResult",
    "decode",
    "read_result",
    "write_bundle",
]
