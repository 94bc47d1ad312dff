"""One job, from an opened bundle to its outputs."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import msgspec
import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM, PrinterCallback, set_seed

from idiolect.config import Options
from idiolect.errors import RunFailed
from idiolect.files import whole, write_json
from idiolect.training.bundle import Job, Measured, SampleLoss, TrainingResult
from idiolect.training.events import Event, Finished, Note, Started
from idiolect.training.loop import ROW_BUDGET, FusedTrainer, Reporter, Samples, training_arguments
from idiolect.training.rows import TokenizedSample, fuse, tokenize

_VERSIONS = ("idiolect", "torch", "transformers", "peft", "accelerate")
_SHARD = "4GB"


def train(job: Job, base: Path, report: Callable[[Event], None]) -> TrainingResult:
    """Train on `base` (a Transformers folder); write outputs/adapter or outputs/model, and outputs/result.json.

    Raises RunFailed if the loss becomes no number, or if a sample was not learned from as often as was asked.
    """
    began = time.monotonic()
    set_seed(job.options.seed)
    on_gpu = torch.cuda.is_available()
    optimizer = _optimizer(job, report, on_gpu=on_gpu)
    texts = tokenize(job.texts, job.tokenizer)
    kept = {t.id for t in job.texts if t.split == "train"}
    trainer = FusedTrainer(
        model=_model(base, job, on_gpu=on_gpu),
        args=training_arguments(job, optimizer, use_cpu=not on_gpu),
        train_dataset=Samples([t for t in texts if t.id in kept]),
        held_out=[t for t in texts if t.id not in kept],
    )
    trainer.remove_callback(PrinterCallback)
    trainer.add_callback(Reporter(report, trainer))
    report(_started(trainer, job))
    before = trainer.evaluate()["eval_loss"]
    probes = tokenize(job.probes, job.tokenizer)
    probed = trainer.losses(fuse(probes, ROW_BUDGET))
    checkpoint = last_checkpoint(job.checkpoints)
    if checkpoint:
        trainer.tokens_learned = _tokens_until(checkpoint, trainer)
        report(Note(f"Going on from {checkpoint.name}."))
    trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    _check(trainer, job)
    result = _result(trainer, before, seconds=time.monotonic() - began, optimizer=optimizer)
    write_json(job.measured, _measured(trainer, probes, probed, result.best_epoch))
    _save(job, trainer.model, result)
    report(Finished(seconds=round(result.seconds, 1)))
    return result


def last_checkpoint(folder: Path) -> Path | None:
    """Return the newest checkpoint that is whole: the trainer's state is what is written last into one."""
    whole_ones = [f.parent for f in folder.glob("checkpoint-*/trainer_state.json") if _is_json(f)]
    return max(whole_ones, key=lambda c: int(c.name.rpartition("-")[2]), default=None)


def _is_json(file: Path) -> bool:
    try:
        msgspec.json.decode(file.read_bytes())
    except msgspec.DecodeError:
        return False
    return True


def _tokens_until(checkpoint: Path, trainer: FusedTrainer) -> int:
    """Return how many tokens were learned before a checkpoint; they are made at the ends of epochs."""
    epoch: float = msgspec.json.decode((checkpoint / "trainer_state.json").read_bytes())["epoch"]
    samples: list[TokenizedSample] = trainer.train_dataset.samples
    return round(epoch) * sum(s.learned_tokens for s in samples)


def _optimizer(job: Job, report: Callable[[Event], None], *, on_gpu: bool) -> str:
    """Return the optimizer that this machine can run; say what it cannot."""
    options, lora = job.options, job.trains == "adapter"
    if on_gpu:
        if options.load_in_4bit and lora:
            report(Note("Holding the base model in 4 bit is not built yet: training it in 16 bit."))
        return options.optimizer
    lacking = ["4-bit weights"] if options.load_in_4bit and lora else []
    lacking += [options.optimizer] if options.optimizer.endswith("8bit") else []
    if lacking:
        report(Note(f"No GPU here: {' and '.join(lacking)} need one. Using {options.dtype} and adamw_torch."))
    return "adamw_torch" if options.optimizer.endswith("8bit") else options.optimizer


def _model(base: Path, job: Job, *, on_gpu: bool) -> Any:
    """Load the base as it is to be trained: frozen under an adapter, or all of it."""
    options = job.options
    model = AutoModelForCausalLM.from_pretrained(
        base,
        dtype=getattr(torch, options.dtype),
        # With a mask, a CPU computes the plain way 1.1 to 1.5 times as fast (docs/performance.md).
        attn_implementation="sdpa" if on_gpu else "eager",
    )
    model.config.use_cache = False
    return _with_adapter(model, options) if job.trains == "adapter" else model


def _with_adapter(model: Any, options: Options) -> Any:
    targets = options.lora_target_modules
    adapter = LoraConfig(
        task_type="CAUSAL_LM",
        r=options.lora_rank,
        lora_alpha=options.lora_alpha,
        lora_dropout=options.lora_dropout,
        target_modules=targets if targets == "all-linear" else [t.strip() for t in targets.split(",")],
    )
    # Adapters in the base's own type: casting at every layer costs a CPU a fifth of its time.
    return get_peft_model(model, adapter, autocast_adapter_dtype=False)


def _started(trainer: FusedTrainer, job: Job) -> Started:
    samples: list[TokenizedSample] = trainer.train_dataset.samples
    return Started(
        samples=len(samples),
        held_out=len(job.texts) - len(samples),
        steps=len(trainer.get_train_dataloader()) * round(job.options.num_train_epochs),
        learned_tokens=sum(s.learned_tokens for s in samples),
        trained_parameters=sum(p.numel() for p in trainer.model.parameters() if p.requires_grad),
    )


def _check(trainer: FusedTrainer, job: Job) -> None:
    asked = job.options.num_train_epochs * sum(s.learned_tokens for s in trainer.train_dataset.samples)
    if job.options.num_train_epochs == round(job.options.num_train_epochs) and trainer.tokens_learned != asked:
        raise RunFailed(
            f"{trainer.tokens_learned} tokens were learned where {asked:.0f} should have been.",
            "This is a fault of Idiolect's; please report it.",
        )


def _result(trainer: FusedTrainer, before: float, *, seconds: float, optimizer: str) -> TrainingResult:
    losses = [e["eval_loss"] for e in trainer.state.log_history if "eval_loss" in e]
    samples = trainer.train_dataset.samples
    return TrainingResult(
        loss_before=before,
        loss_after=min(losses),
        loss_by_epoch=tuple(losses),
        best_epoch=losses.index(min(losses)) + 1,
        samples=len(samples),
        learned_tokens=sum(s.learned_tokens for s in samples),
        steps=trainer.state.global_step,
        trained_parameters=sum(p.numel() for p in trainer.model.parameters() if p.requires_grad),
        seconds=round(seconds, 1),
        device=str(trainer.args.device),
        dtype=str(trainer.model.dtype).removeprefix("torch."),
        optimizer=optimizer,
        versions={name: version(name) for name in _VERSIONS},
    )


def _measured(
    trainer: FusedTrainer, probes: Sequence[TokenizedSample], probed: Mapping[str, float], best_epoch: int
) -> Measured:
    """Put losses before and after side by side. What was measured before an interruption is measured anew."""
    before, after = trainer.held_out_losses[0], trainer.held_out_losses.get(best_epoch)
    after = after or trainer.losses(trainer.held_out)
    held_out = trainer.eval_dataset.samples
    probed_after = trainer.losses(fuse(probes, ROW_BUDGET))
    return Measured(
        curve=tuple((e["step"], e["loss"]) for e in trainer.state.log_history if "loss" in e),
        held_out=tuple(SampleLoss(s.id, s.learned_tokens, before[s.id], after[s.id]) for s in held_out),
        probes=tuple(SampleLoss(s.id, s.learned_tokens, probed[s.id], probed_after[s.id]) for s in probes),
    )


def _save(job: Job, model: Any, result: TrainingResult) -> None:
    """Save the weights without what the libraries write about this computer, and the result last of all."""
    with whole(job.weights) as folder:
        model.save_pretrained(folder, max_shard_size=_SHARD)
        if job.trains == "adapter":
            _forget_this_computer(folder)
    write_json(job.result, result)
    shutil.rmtree(job.checkpoints, ignore_errors=True)


def _forget_this_computer(adapter: Path) -> None:
    (adapter / "README.md").unlink()
    config = msgspec.json.decode((adapter / "adapter_config.json").read_bytes())
    # PEFT keeps the names in a set, whose order is another one each time.
    ours = {"base_model_name_or_path": None, "target_modules": sorted(config["target_modules"])}
    write_json(adapter / "adapter_config.json", {**config, **ours})
