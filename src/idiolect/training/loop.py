"""The one training loop: Transformers' Trainer, one optimizer step at a time over fused rows.

The loss is the mean over all learned tokens of the step, whichever rows and processes they stand in, so that gradients
equal those of the same samples taken one by one. Logits are computed only where a token is learned.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, TypeVar

import torch
from accelerate.utils.memory import should_reduce_batch_size
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader
from transformers import Trainer, TrainerControl

from idiolect.dataset import TokenizedSample
from idiolect.errors import RunFailed
from idiolect.training.noise import Noise
from idiolect.training.order import Order, OrderedLoader
from idiolect.training.processes import Processes
from idiolect.training.rows import NOTHING, Row, fuse, share

_T = TypeVar("_T")

#: So many ids are named of more.
_NAMED = 5


class FusedTrainer(Trainer):
    """Trainer whose batch is all samples of one optimizer step; each process takes its share of them."""

    def __init__(  # noqa: PLR0913
        self,
        *,
        samples: Sequence[TokenizedSample],
        held_out: Sequence[TokenizedSample],
        processes: Processes,
        budget: int,
        smaller_budget: Callable[[int], None],
        noise: float,
        **given: Any,
    ) -> None:
        super().__init__(train_dataset=samples, eval_dataset=held_out, data_collator=list, **given)
        self.order = Order(len(samples), self.args.per_device_train_batch_size, self.args.seed)
        self.processes = processes
        self.budget = budget
        self.smaller_budget = smaller_budget
        self.noise = Noise(self.model, noise) if noise else None
        #: What this process has put through the model: sample → how often, and how many learned tokens.
        self.consumed: Counter[str] = Counter()
        self.tokens_learned = 0
        #: Step → the summed loss of each held-out sample then, by id.
        self.held_out_losses: dict[int, dict[str, float]] = {}
        #: How many learned tokens all processes were given, in this start and those before it.
        self.tokens_given = 0

    @property
    def sharded(self) -> bool:
        """Whether each process holds only a part of every weight (FSDP2), not a copy (DDP)."""
        return bool(self.is_distributed_loading_by_transformers)

    def get_train_dataloader(self) -> DataLoader[list[TokenizedSample]]:
        """Let every process see all samples of a step: they agree on who takes which without a word."""
        return OrderedLoader(self.train_dataset, batch_sampler=self.order, collate_fn=list)

    def training_step(
        self, model: torch.nn.Module, inputs: list[TokenizedSample], num_items_in_batch: Any = None
    ) -> torch.Tensor:
        """Accumulate the gradients of one optimizer step; return its loss a learned token."""
        model.train()
        loss = self._within_memory(inputs, lambda: self._accumulate(model, inputs))
        if not torch.isfinite(loss):
            raise self._not_a_number(inputs)
        self.consumed.update(s.id for s in self._mine(inputs))
        self.tokens_given += sum(s.learned_tokens for s in inputs)
        return loss

    def _accumulate(self, model: torch.nn.Module, samples: list[TokenizedSample]) -> torch.Tensor:
        rows = self._rows(samples)
        # DDP and FSDP2 take the mean over the processes; what is wanted is the sum.
        scale = self.processes.count / sum(s.learned_tokens for s in samples)
        loss = torch.zeros((), device=self.args.device)
        for number, row in enumerate(rows, start=1):
            with self._together(model, last=number == len(rows)):
                part = self._summed_loss(model, row) * scale
                self.accelerator.backward(part)
            loss += part.detach()
        self.tokens_learned += sum(len(row["targets"]) for row in rows)
        return loss

    def _rows(self, samples: Sequence[TokenizedSample]) -> list[Row]:
        """Return this process' rows, as many as the one with most has: they must step together."""
        shares = [fuse(s, self.budget)["rows"] for s in share(samples, self.processes.count)]
        mine = shares[self.processes.rank]
        return mine + [NOTHING] * (max(map(len, shares)) - len(mine))

    def _mine(self, samples: Sequence[TokenizedSample]) -> list[TokenizedSample]:
        return share(samples, self.processes.count)[self.processes.rank]

    def _summed_loss(self, model: torch.nn.Module, row: Row) -> torch.Tensor:
        row = self._prepare_inputs(row)
        if self.noise:
            self.noise.expect(row["position_ids"])
        return summed_loss(model, row)

    def _together(self, model: torch.nn.Module, *, last: bool) -> AbstractContextManager[None]:
        """Let copies of a model add up their gradients after the last row; parts of one cannot wait so long."""
        if last or self.processes.count == 1 or self.sharded:
            return nullcontext()
        waiting: AbstractContextManager[None] = self.accelerator.no_sync(model)
        return waiting

    def evaluate(self, *_: Any, **__: Any) -> dict[str, float]:
        """Return the held-out loss a learned token; tell the callbacks."""
        losses = self.losses(self.eval_dataset)
        self.held_out_losses[self.state.global_step] = losses
        metrics = {"eval_loss": sum(losses.values()) / sum(s.learned_tokens for s in self.eval_dataset)}
        self.log(dict(metrics))
        self.control: TrainerControl = self.callback_handler.on_evaluate(self.args, self.state, self.control, metrics)
        return metrics

    def losses(self, samples: Sequence[TokenizedSample]) -> dict[str, float]:
        """Return the summed loss (nats) of each sample's learned tokens, by id."""
        self.model.eval()
        mine = self._within_memory(samples, lambda: self._measure(samples))
        found = {name: loss for losses in self.processes.all(mine) for name, loss in losses.items()}
        return {s.id: found[s.id] for s in samples}

    def _measure(self, samples: Sequence[TokenizedSample]) -> dict[str, float]:
        mine: dict[str, float] = {}
        with torch.no_grad():
            for row in map(self._prepare_inputs, self._rows(samples)):
                each = token_losses(self.model, row).double().split([count for _, count in row["samples"]])
                mine |= {name: own.sum().item() for (name, _), own in zip(row["samples"], each, strict=True)}
        return mine

    def _within_memory(self, samples: Sequence[TokenizedSample], work: Callable[[], _T]) -> _T:
        """Put samples through the model; where memory does not suffice, again with fewer tokens at once."""
        while True:
            try:
                return work()
            except RuntimeError as error:
                if not should_reduce_batch_size(error):
                    raise
                self._take_fewer(samples)
            # Not within the except clause, whose exception holds on to what is to be freed.
            self.model.zero_grad()
            torch.cuda.empty_cache()

    def _take_fewer(self, samples: Sequence[TokenizedSample]) -> None:
        """Halve the tokens of a row. Raises RunFailed if a row holds but one sample, or the others are waiting."""
        mine = self._mine(samples)
        if len(fuse(mine, self.budget)["rows"]) == len(mine):
            longest = max(mine, key=lambda s: len(s.tokens))
            raise RunFailed(
                f"Out of memory with a single sample of up to {len(longest.tokens)} tokens ({longest.id}).",
                "Lower max_seq_length, hold the base in 4 bit, or take a smaller base model.",
            )
        self.budget //= 2
        self.smaller_budget(self.budget)
        if self.processes.count > 1:
            raise RunFailed(
                f"Out of memory with {2 * self.budget} tokens at once, in process {self.processes.rank}.",
                "Start it again: it goes on from the last checkpoint with half as many.",
            )

    def _not_a_number(self, samples: list[TokenizedSample]) -> RunFailed:
        """Find the samples whose loss is no number: each alone, or, with sharded weights, those of this process."""
        mine = self._mine(samples)
        if not self.sharded:
            self.model.eval()
            with torch.no_grad():
                alone = [(s, self._summed_loss(self.model, fuse([s], self.budget)["rows"][0]).item()) for s in mine]
            mine = [s for s, loss in alone if not math.isfinite(loss)] or mine
        named = ", ".join(s.id for s in mine[:_NAMED]) + (
            f" and {len(mine) - _NAMED} more" if len(mine) > _NAMED else ""
        )
        return RunFailed(
            f"The loss became not a number at step {self.state.global_step + 1}, at sample {named}.",
            "Look at that sample; if it is sound, lower learning_rate, or train with dtype float32.",
        )


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
