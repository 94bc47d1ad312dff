"""Training text → weights: the job bundle, the rows that a model sees, the one training loop, its progress."""

from idiolect.training.bundle import (
    OPTIONS,
    Job,
    Measured,
    SampleLoss,
    TrainingResult,
    is_trained,
    open_bundle,
    read_measured,
    read_result,
    write_bundle,
)
from idiolect.training.events import (
    Event,
    Failed,
    Finished,
    HeldOut,
    Moved,
    Note,
    Started,
    Stepped,
    append,
    decode,
    mend,
    say_failed,
)
from idiolect.training.judge import mean_loss
from idiolect.training.memory import Memory, adapter_parameters
from idiolect.training.picture import loss_picture
from idiolect.training.planner import Computer, Forecast, forecast_gpus, forecasts
from idiolect.training.speed import measured_rate
from idiolect.training.start import train_bundle
from idiolect.training.work import Trains, Work

__all__ = [
    "OPTIONS",
    "Computer",
    "Event",
    "Failed",
    "Finished",
    "Forecast",
    "HeldOut",
    "Job",
    "Measured",
    "Memory",
    "Moved",
    "Note",
    "SampleLoss",
    "Started",
    "Stepped",
    "TrainingResult",
    "Trains",
    "Work",
    "adapter_parameters",
    "append",
    "decode",
    "forecast_gpus",
    "forecasts",
    "is_trained",
    "loss_picture",
    "mean_loss",
    "measured_rate",
    "mend",
    "open_bundle",
    "read_measured",
    "read_result",
    "say_failed",
    "train_bundle",
    "write_bundle",
]
