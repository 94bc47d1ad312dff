"""One job, from an opened bundle to its outputs."""

from __future__ import annotations

import math
import shutil
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path

import msgspec
import torch
from safetensors.torch import save_file
from transformers import EarlyStoppingCallback, PrinterCallback, TrainingArguments, set_seed

from idiolect.dataset import TokenizedSample, tokenize
from idiolect.errors import DamagedFile, RunFailed
from idiolect.files import read_json, whole, write_json
from idiolect.training import model
from idiolect.training.bundle import Job, Measured, SampleLoss, TrainingResult
from idiolect.training.checkpoints import EverySoOften, ResumableTrainer, ShardedTrainer, last_checkpoint
from idiolect.training.events import Event, Finished, Note, Started
from idiolect.training.importance import listening, means
from idiolect.training.machine import Setup, decide, this_machine
from idiolect.training.order import learned_from
from idiolect.training.processes import Processes, join
from idiolect.training.progress import Reporter

_VERSIONS = ("idiolect", "torch", "transformers", "peft", "accelerate")
_SHARD = "4GB"
#: So many seconds at most are lost when a run is killed, where a checkpoint is quick to write.
CHECKPOINT_SECONDS = 300.0

Report = Callable[[Event], None]


def train(job: Job, base: Path, report: Report, checkpoint_seconds: float = CHECKPOINT_SECONDS) -> TrainingResult:
    """Train on `base` (a Transformers folder); write outputs/adapter or outputs/model, and outputs/result.json.

    Under torchrun all processes call this, and the first one reports and writes.
    Raises RunFailed if the loss becomes no number, if memory does not suffice for a single sample, or if a sample was
    not learned from as often as was asked.
    """
    began = time.monotonic()
    processes = join(on_cpu=not torch.cuda.is_available())
    report = report if processes.first else _silent
    trainer, setup = build(job, base, processes, report, checkpoint_seconds)
    report(_started(trainer))
    before = trainer.evaluate()["eval_loss"]
    probes = tokenize(job.probes, job.tokenizer)
    probed = trainer.losses(probes)
    found = last_checkpoint(job.checkpoints, processes.count, sharded=trainer.sharded) if processes.first else None
    checkpoint = processes.agree(found)
    if checkpoint:
        trainer.recall(checkpoint)
        report(Note(f"Going on from {checkpoint.name}."))
    elif any(job.checkpoints.glob("checkpoint-*")):
        report(Note("The checkpoints are of another number of processes: beginning anew."))
    trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    check(trainer)
    measured = _measured(trainer, probes, probed)
    result = _result(trainer, before, setup, seconds=time.monotonic() - began)
    if job.options.imatrix:
        _weigh(job, trainer)
    _save(job, trainer, measured, result)
    report(Finished(seconds=round(result.seconds, 1)))
    return result


def build(
    job: Job, base: Path, processes: Processes, report: Report, checkpoint_seconds: float
) -> tuple[ResumableTrainer, Setup]:
    """Set up a job on this machine: as an earlier start of it was set up, if there was one."""
    options = job.options
    setup = processes.agree(_setup(job, processes) if processes.first else Setup())
    if setup.note:
        report(Note(setup.note))
    set_seed(options.seed)
    texts = tokenize(job.texts, job.tokenizer)
    kept = {t.id for t in job.texts if t.split == "train"}
    loaded = model.load(base, job, setup, processes)
    kind = ShardedTrainer if model.sharded(job, processes) else ResumableTrainer
    trainer = kind(
        model=loaded,
        args=_arguments(job, setup),
        samples=[t for t in texts if t.id in kept],
        held_out=[t for t in texts if t.id not in kept],
        processes=processes,
        budget=setup.row_tokens,
        smaller_budget=lambda tokens: _smaller(job, setup, tokens, report),
        noise=options.neftune,
        optimizer_cls_and_kwargs=model.optimizer(loaded, setup.optimizer, options),
    )
    trainer.checkpoints_kept = options.save_total_limit
    trainer.remove_callback(PrinterCallback)
    trainer.add_callback(Reporter(report, trainer))
    trainer.add_callback(EverySoOften(trainer, checkpoint_seconds))
    if options.early_stopping:
        trainer.add_callback(EarlyStoppingCallback(options.early_stopping))
    return trainer, setup


def check(trainer: ResumableTrainer) -> None:
    """Raise RunFailed unless every sample was learned from as often as the steps that were made ask for."""
    samples, steps = trainer.train_dataset, trainer.state.global_step
    asked = learned_from(samples, trainer.order, steps)
    counts = trainer.processes.all((trainer.consumed, trainer.tokens_learned))
    times, tokens = sum((c for c, _ in counts), Counter[str]()), sum(t for _, t in counts)
    wanted = sum(s.learned_tokens * asked[s.id] for s in samples)
    wrong = [s.id for s in samples if times[s.id] != asked[s.id]]
    stopped_early = trainer.control.should_training_stop and steps % len(trainer.order) == 0
    if wrong or tokens != wanted or (steps != trainer.state.max_steps and not stopped_early):
        raise RunFailed(
            f"{tokens} tokens were learned where {wanted} should have been, in {steps} of {trainer.state.max_steps} "
            f"steps; {len(wrong)} samples were not learned from as often as asked: {', '.join(wrong[:5]) or 'none'}.",
            "This is a fault of Idiolect's; please report it.",
        )


def _setup(job: Job, processes: Processes) -> Setup:
    """Return what was decided at an earlier start on such a machine, or decide, and write it down."""
    file, machine = job.checkpoints / "setup.json", this_machine()
    with suppress(DamagedFile):
        decided = read_json(file, Setup)
        if decided.device == ("cuda" if machine.gpu else "cpu"):
            return decided
    decided = decide(job, processes.count, machine)
    write_json(file, decided)
    return decided


def _smaller(job: Job, setup: Setup, tokens: int, report: Report) -> None:
    write_json(job.checkpoints / "setup.json", msgspec.structs.replace(setup, row_tokens=tokens))
    report(Note(f"Out of memory: going on with {tokens} tokens at once, half as many as before."))


def _silent(_: Event) -> None:
    pass


def _arguments(job: Job, setup: Setup) -> TrainingArguments:
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
        optim=setup.optimizer,
        activation_checkpointing=setup.activation_checkpointing,
        seed=o.seed,
        use_cpu=setup.device == "cpu",
        ddp_find_unused_parameters=False,
        eval_strategy="epoch",
        save_strategy="epoch",
        load_best_model_at_end=True,
        metric_for_best_model="eval_loss",
        greater_is_better=False,
        restore_callback_states_from_checkpoint=True,
        logging_steps=1,
        remove_unused_columns=False,
        disable_tqdm=True,
        report_to=[],
    )


def _started(trainer: ResumableTrainer) -> Started:
    samples = trainer.train_dataset
    return Started(
        samples=len(samples),
        held_out=len(trainer.eval_dataset),
        steps=trainer.set_initial_training_values(trainer.args, trainer.get_train_dataloader())[-1],
        learned_tokens=sum(s.learned_tokens for s in samples),
        trained_parameters=_trained_parameters(trainer),
        processes=trainer.processes.count,
    )


def _result(trainer: ResumableTrainer, before: float, setup: Setup, *, seconds: float) -> TrainingResult:
    losses = [e["eval_loss"] for e in trainer.state.log_history if "eval_loss" in e]
    if not all(map(math.isfinite, (before, *losses))):
        raise RunFailed(
            "The held-out loss is not a number.",
            "See whether the base model's weights are sound; if they are, lower learning_rate.",
        )
    samples = trainer.train_dataset
    return TrainingResult(
        loss_before=before,
        loss_after=min(losses),
        loss_by_epoch=tuple(losses),
        best_epoch=losses.index(min(losses)) + 1,
        samples=len(samples),
        learned_tokens=sum(s.learned_tokens for s in samples),
        steps=trainer.state.global_step,
        trained_parameters=_trained_parameters(trainer),
        seconds=round(seconds, 1),
        device=setup.device,
        processes=trainer.processes.count,
        dtype=setup.dtype,
        optimizer=setup.optimizer,
        versions={name: version(name) for name in _VERSIONS},
    )


def _trained_parameters(trainer: ResumableTrainer) -> int:
    return sum(p.numel() for p in trainer.model.parameters() if p.requires_grad)


def _measured(trainer: ResumableTrainer, probes: Sequence[TokenizedSample], probed: Mapping[str, float]) -> Measured:
    """Put losses before and after side by side. What was measured before an interruption is measured anew."""
    held_out = trainer.eval_dataset
    before, after = trainer.held_out_losses[0], trainer.held_out_losses.get(trainer.state.best_global_step)
    after, probed_after = after or trainer.losses(held_out), trainer.losses(probes)
    return Measured(
        curve=tuple((e["step"], e["loss"]) for e in trainer.state.log_history if "loss" in e),
        held_out=tuple(SampleLoss(s.id, s.learned_tokens, before[s.id], after[s.id]) for s in held_out),
        probes=tuple(SampleLoss(s.id, s.learned_tokens, probed[s.id], probed_after[s.id]) for s in probes),
    )


def _weigh(job: Job, trainer: ResumableTrainer) -> None:
    """Write down what the training texts use most of the trained model."""
    with listening(trainer.model) as heard:
        trainer.losses(trainer.train_dataset)
    found = means(trainer.processes.all(heard))
    if trainer.processes.first:
        job.importance.parent.mkdir(parents=True, exist_ok=True)
        save_file(found, job.importance)


def _save(job: Job, trainer: ResumableTrainer, measured: Measured, result: TrainingResult) -> None:
    """Save the weights without what the libraries write about this computer, and the result last of all."""
    if trainer.processes.first:
        with whole(job.weights) as folder:
            trainer.model.save_pretrained(folder, max_shard_size=_SHARD)
            if job.trains == "adapter":
                _forget_this_computer(folder)
        write_json(job.measured, measured)
        write_json(job.result, result)
    elif trainer.sharded:
        # Gathering sharded weights takes all processes; only the first one writes.
        trainer.model.save_pretrained(job.weights, is_main_process=False, max_shard_size=_SHARD)
    trainer.processes.wait()
    if trainer.processes.first:
        shutil.rmtree(job.checkpoints, ignore_errors=True)


def _forget_this_computer(adapter: Path) -> None:
    (adapter / "README.md").unlink()
    config = msgspec.json.decode((adapter / "adapter_config.json").read_bytes())
    # PEFT keeps the names in a set, whose order is another one each time.
    ours = {"base_model_name_or_path": None, "target_modules": sorted(config["target_modules"])}
    write_json(adapter / "adapter_config.json", {**config, **ours})
