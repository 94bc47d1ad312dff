"""Where training goes on from: what the Trainer keeps, what we have learned from, and parts of sharded weights."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import torch
from peft import PeftModel, set_peft_model_state_dict
from safetensors.torch import load_file
from torch.distributed.fsdp import FSDPModule
from torch.distributed.tensor import DTensor
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from idiolect.dataset import TokenizedSample
from idiolect.files import read_json, remove, write_json
from idiolect.training.loop import FusedTrainer
from idiolect.training.sealed import is_sound, seal

#: A checkpoint may cost so much of the time; where it is slow to write, there are fewer.
_SHARE_OF_TIME = 0.05


class ResumableTrainer(FusedTrainer):
    """Its checkpoints tell what was learned from, and bring back an adapter in the type that it had."""

    save_seconds = 0.0
    #: So many checkpoints stay; Transformers, told none, would remove old ones file by file under their own names.
    checkpoints_kept = 2

    def _save_checkpoint(self, model: torch.nn.Module, trial: Any) -> None:
        began = time.monotonic()
        super()._save_checkpoint(model, trial)
        self.processes.wait()
        if self.processes.first:
            seal(Path(self.args.output_dir, f"checkpoint-{self.state.global_step}"))
            best = self.state.best_model_checkpoint
            rotate(Path(self.args.output_dir), self.checkpoints_kept, Path(best).name if best else "")
        self.processes.wait()
        self.save_seconds = time.monotonic() - began

    def _save_rng_state(self, output_dir: str) -> None:
        """Save the last of what each process saves; the state that makes a checkpoint whole is written after it."""
        super()._save_rng_state(output_dir)
        all_consumed = self.processes.all((self.consumed, self.tokens_learned))
        if self.processes.first:
            times = sum((c for c, _ in all_consumed), Counter[str]())
            write_json(Path(output_dir, "consumed.json"), {"times": times, "tokens": sum(t for _, t in all_consumed)})

    def recall(self, checkpoint: Path) -> None:
        """Take over what was learned from before a checkpoint: the first process counts it as its own."""
        before: Any = msgspec.json.decode((checkpoint / "consumed.json").read_bytes())
        self.tokens_given = before["tokens"]
        if self.processes.first:
            self.consumed, self.tokens_learned = Counter(before["times"]), before["tokens"]

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: Any = None) -> None:
        """PEFT's own way would turn an adapter into float32."""
        if isinstance(self.model, PeftModel):
            adapter = load_file(Path(resume_from_checkpoint, "adapter_model.safetensors"))
            set_peft_model_state_dict(self.model, adapter)
        else:
            super()._load_from_checkpoint(resume_from_checkpoint, model)

    def _load_best_model(self) -> None:
        self._load_from_checkpoint(self.state.best_model_checkpoint)


class ShardedTrainer(ResumableTrainer):
    """Each process writes and reads its own part of weights and optimizer: no machine holds all of them."""

    def __init__(self, **given: Any) -> None:
        # Transformers refuses to save what it cannot bring back; we can.
        given["args"].save_only_model = True
        super().__init__(**given)
        self.args.save_only_model = False

    def losses(self, samples: Sequence[TokenizedSample]) -> dict[str, float]:
        """Measure, then give back what a forward pass without a backward one has left gathered."""
        found = super().losses(samples)
        for module in self.model.modules():
            if isinstance(module, FSDPModule):
                module.reshard()
        return found

    def _part(self, folder: str, what: str) -> Path:
        return Path(folder, f"{what}-{self.processes.rank}-of-{self.processes.count}.pt")

    def save_model(self, output_dir: str | None = None, _internal_call: bool = False) -> None:
        folder = output_dir or self.args.output_dir
        Path(folder).mkdir(parents=True, exist_ok=True)
        torch.save({n: p.to_local() for n, p in _parts(self.model).items()}, self._part(folder, "weights"))

    def _save_optimizer_and_scheduler(self, output_dir: str) -> None:
        torch.save(self.optimizer.state_dict(), self._part(output_dir, "optimizer"))
        if self.processes.first:
            torch.save(self.lr_scheduler.state_dict(), Path(output_dir, "scheduler.pt"))

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: Any = None) -> None:
        saved = torch.load(self._part(resume_from_checkpoint, "weights"), weights_only=True)
        with torch.no_grad():
            for name, weight in _parts(self.model).items():
                weight.to_local().copy_(saved[name])

    def _load_optimizer_and_scheduler(self, checkpoint: str | None) -> None:
        if checkpoint:
            self.optimizer.load_state_dict(torch.load(self._part(checkpoint, "optimizer"), weights_only=True))
            self.lr_scheduler.load_state_dict(torch.load(Path(checkpoint, "scheduler.pt"), weights_only=True))


class EverySoOften(TrainerCallback):
    """Asks for a checkpoint in the middle of an epoch, so that an interrupted run loses minutes and not hours.

    With 0 seconds there is one after each step.
    """

    def __init__(self, trainer: ResumableTrainer, seconds: float) -> None:
        self.trainer = trainer
        self.seconds = seconds
        self.saved = time.monotonic()

    def on_train_begin(self, *_: Any, **__: Any) -> None:
        self.saved = time.monotonic()

    def on_save(self, *_: Any, **__: Any) -> None:
        self.saved = time.monotonic()

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> TrainerControl:
        wait = self.seconds and max(self.seconds, self.trainer.save_seconds / _SHARE_OF_TIME)
        # At the end of an epoch one is made anyway.
        amid = state.global_step % len(self.trainer.order) != 0 and state.global_step < state.max_steps
        if self.trainer.processes.agree(amid and time.monotonic() - self.saved >= wait):
            control.should_save = True
        return control


def rotate(folder: Path, kept: int, best: str) -> None:
    """Remove the oldest checkpoints but for `kept`, the best and the newest; each loses its name before its files.

    So whoever reads one that still has its name when they are done has read all of it.
    """
    in_order = sorted((c for c in folder.glob("checkpoint-*")), key=_step)
    may_go = [c for c in in_order[:-1] if c.name != best]
    for old in may_go[: max(len(in_order) - kept, 0)]:
        nameless = old.with_name(f".{old.name}.partial")
        remove(nameless)
        remove(old.rename(nameless))


def last_checkpoint(folder: Path, processes: int = 1, *, sharded: bool = False) -> Path | None:
    """Return the newest checkpoint that is sound, and remove those that are not.

    Parts can be read by as many processes as wrote them.
    """
    parts = [f"weights-0-of-{processes}.pt"] if sharded else []
    for checkpoint in folder.glob("checkpoint-*"):
        if not is_sound(checkpoint):
            remove(checkpoint)
    sound = folder.glob("checkpoint-*")
    whole_ones = [c for c in sound if [p.name for p in c.glob("weights-0-of-*.pt")] == parts]
    newest = max(whole_ones, key=_step, default=None)
    if newest:
        _stand_here(newest)
    return newest


def _step(checkpoint: Path) -> int:
    return int(checkpoint.name.rpartition("-")[2])


def _stand_here(checkpoint: Path) -> None:
    """Let a checkpoint find the best one beside it, wherever the bundle has been moved to.

    A best one that is not there was surpassed by a later one, which is lost: training comes to that again.
    """
    file = checkpoint / "trainer_state.json"
    state = read_json(file, dict)
    best = Path(str(state.get("best_model_checkpoint") or "")).name
    there: dict[str, str | None] = {"best_model_checkpoint": str(checkpoint.parent / best)}
    if best and not (checkpoint.parent / best).is_dir():
        there = dict.fromkeys(("best_model_checkpoint", "best_metric", "best_global_step"))
    if best:
        write_json(file, {**state, **there})


def _parts(model: torch.nn.Module) -> dict[str, DTensor]:
    return dict(model.named_parameters())
