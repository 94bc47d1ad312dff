"""What the Trainer says, as events."""

from __future__ import annotations

import math
import resource
import sys
import time
from collections.abc import Callable
from typing import Any

import torch
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from idiolect.training.events import Event, HeldOut, Stepped
from idiolect.training.loop import FusedTrainer


class Reporter(TrainerCallback):
    """Turns each log entry of the Trainer into an event of ours."""

    def __init__(self, report: Callable[[Event], None], trainer: FusedTrainer) -> None:
        self.report = report
        self.trainer = trainer
        self.began, self.first_step, self.tokens_before = time.monotonic(), 0, 0

    def on_train_begin(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        self.began, self.first_step = time.monotonic(), state.global_step
        self.tokens_before = self.trainer.tokens_given

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, float],
        **_: Any,
    ) -> None:
        if "loss" in logs:
            self.report(self._stepped(state, logs))
        # What is no number has no place in JSON; the step that it breaks says so.
        if math.isfinite(logs.get("eval_loss", math.nan)):
            self.report(HeldOut(epoch=round(state.epoch or 0, 3), loss=logs["eval_loss"]))

    def _stepped(self, state: TrainerState, logs: dict[str, float]) -> Stepped:
        seconds = time.monotonic() - self.began
        step, learned = state.global_step, self.trainer.tokens_given
        return Stepped(
            step=step,
            steps=state.max_steps,
            epoch=round(state.epoch or 0, 3),
            loss=logs["loss"],
            learning_rate=logs["learning_rate"],
            learned_tokens=learned,
            tokens_per_second=round((learned - self.tokens_before) / seconds, 1),
            memory_bytes=memory_bytes(),
            seconds_left=round(seconds / (step - self.first_step) * (state.max_steps - step), 1),
        )


def memory_bytes() -> int:
    """Return the most memory that was held so far: of the GPU, or, without one, of this process."""
    if torch.cuda.is_available():
        return int(torch.cuda.max_memory_allocated())
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024
