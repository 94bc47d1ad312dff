"""The one training loop: Transformers' Trainer, one optimizer step at a time over fused rows.

The loss is the mean over all learned tokens of the step, whichever rows they stand in, so that gradients equal
those of the same samples taken one by one. Logits are computed only where a token is learned.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch
from torch.nn.functional import cross_entropy
from torch.utils.data import Dataset
from transformers import Trainer, TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from idiolect.errors import RunFailed
from idiolect.training.bundle import Job
from idiolect.training.events import Event, HeldOut, Stepped
from idiolect.training.rows import Row, Step, TokenizedSample, fuse

#: Tokens in a row. Attention over a fused row is dense on a CPU, so that longer rows cost more than they save.
ROW_BUDGET = 512


class Samples(Dataset[TokenizedSample]):
    """A list, in the shape that the data loader wants."""

    def __init__(self, samples: Sequence[TokenizedSample]) -> None:
        self.samples = samples

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, index: int) -> TokenizedSample:
        return self.samples[index]


class FusedTrainer(Trainer):
    """Trainer whose batch is a Step: all samples of one optimizer step."""

    def __init__(self, *, held_out: Sequence[TokenizedSample], **given: Any) -> None:
        super().__init__(data_collator=partial(fuse, budget=ROW_BUDGET), eval_dataset=Samples(held_out), **given)
        self.held_out = fuse(held_out, ROW_BUDGET)
        self.held_out_losses: dict[int, dict[str, float]] = {}
        """Epoch → the summed loss of each held-out sample, by id."""
        self.tokens_learned = 0

    def training_step(self, model: torch.nn.Module, inputs: Step, num_items_in_batch: Any = None) -> torch.Tensor:
        """Accumulate the gradients of one optimizer step; return its loss a learned token."""
        model.train()
        loss = torch.zeros((), device=self.args.device)
        for row in self._prepare_inputs(inputs)["rows"]:
            part = summed_loss(model, row) / inputs["learned_tokens"]
            self.accelerator.backward(part)
            loss += part.detach()
        if not torch.isfinite(loss):
            raise RunFailed("The loss became not a number.", "Lower learning_rate, or train with dtype float32.")
        self.tokens_learned += inputs["learned_tokens"]
        return loss

    def evaluate(self, *_: Any, **__: Any) -> dict[str, float]:
        """Return the held-out loss a learned token; tell the callbacks."""
        losses = self.losses(self.held_out)
        self.held_out_losses[round(self.state.epoch or 0)] = losses
        metrics = {"eval_loss": sum(losses.values()) / self.held_out["learned_tokens"]}
        self.log(dict(metrics))
        self.control: TrainerControl = self.callback_handler.on_evaluate(self.args, self.state, self.control, metrics)
        return metrics

    def losses(self, step: Step) -> dict[str, float]:
        """Return the summed loss (nats) of each sample's learned tokens, by id."""
        self.model.eval()
        found: dict[str, float] = {}
        with torch.no_grad():
            for row in self._prepare_inputs(step)["rows"]:
                each = token_losses(self.model, row).double().split([count for _, count in row["samples"]])
                found |= {name: own.sum().item() for (name, _), own in zip(row["samples"], each, strict=True)}
        return found


def summed_loss(model: torch.nn.Module, row: Row) -> torch.Tensor:
    """Return the sum of the negative log-likelihoods (nats) of a row's learned tokens."""
    return token_losses(model, row).sum()


def token_losses(model: torch.nn.Module, row: Row) -> torch.Tensor:
    """Return the negative log-likelihood (nats) of each learned token of a row."""
    logits = model(
        input_ids=row["input_ids"],
        position_ids=row["position_ids"],
        logits_to_keep=row["predicting"],
        use_cache=False,
    ).logits
    return cross_entropy(logits[0].float(), row["targets"], reduction="none")


class Reporter(TrainerCallback):
    """Turns what the Trainer says into our events."""

    def __init__(self, report: Callable[[Event], None], trainer: FusedTrainer) -> None:
        self.report = report
        self.trainer = trainer
        self.began = time.monotonic()

    def on_train_begin(self, *_: Any, **__: Any) -> None:
        self.began = time.monotonic()

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, float],
        **_: Any,
    ) -> None:
        if "loss" in logs:
            seconds = time.monotonic() - self.began
            self.report(
                Stepped(
                    step=state.global_step,
                    steps=state.max_steps,
                    epoch=round(state.epoch or 0, 3),
                    loss=logs["loss"],
                    learning_rate=logs["learning_rate"],
                    tokens_per_second=round(self.trainer.tokens_learned / seconds, 1),
                    seconds_left=round(seconds / state.global_step * (state.max_steps - state.global_step), 1),
                )
            )
        if "eval_loss" in logs:
            self.report(HeldOut(epoch=round(state.epoch or 0, 3), loss=logs["eval_loss"]))


def training_arguments(job: Job, optimizer: str, *, use_cpu: bool) -> TrainingArguments:
    """Translate our options into the Trainer's; a batch of theirs is an optimizer step of ours."""
    o = job.options
    return TrainingArguments(
        output_dir=str(job.checkpoints),
        num_train_epochs=o.num_train_epochs,
        per_device_train_batch_size=job.samples_a_step,
        gradient_accumulation_steps=1,
        learning_rate=o.learning_rate,
        lr_scheduler_type=o.lr_scheduler_type,
        warmup_steps=o.warmup_steps,
        weight_decay=o.weight_decay,
        optim=optimizer,
        activation_checkpointing=o.use_gradient_checkpointing and not use_cpu,
        seed=o.seed,
        use_cpu=use_cpu,
        eval_strategy="epoch",
        save_strategy="epoch",
        save_total_limit=2,
        load_best_model_at_end=True,
        metric_for_best_model="eval_loss",
        greater_is_better=False,
        logging_steps=1,
        remove_unused_columns=False,
        disable_tqdm=True,
        report_to=[],
    )
