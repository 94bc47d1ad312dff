"""Bundles of a tiny job, and a program that trains one step by step: alone, or as one of several under torchrun.

python -m tests.training.jobs BUNDLE BASE OUT
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any, Literal

from idiolect.config import Options
from idiolect.dataset import TrainingText
from idiolect.training import write_bundle
from tests.tiny import SENTENCES

FAST = Options(
    learning_rate=1e-2,
    num_train_epochs=2,
    warmup_steps=1,
    dtype="float32",
    optimizer="adamw_torch",
    load_in_4bit=False,
    use_gradient_checkpointing=False,
)


def texts(count: int = 40) -> list[TrainingText]:
    """Make talks of one turn or, each third, of two; each eighth is held out."""
    made = []
    for n in range(count):
        text, learned = "", []
        for turn in range(1 + (n % 3 == 0)):
            reply = SENTENCES[(n + turn) % 5]
            text += f"<|im_start|>user\n{n}?<|im_end|>\n<|im_start|>assistant\n"
            learned.append((len(text), len(text) + len(reply) + len("<|im_end|>")))
            text += f"{reply}<|im_end|>\n"
        split: Literal["train", "held_out"] = "held_out" if n % 8 == 0 else "train"
        made.append(TrainingText(id=f"{n}", split=split, mode="emulation", text=text, learned=tuple(learned)))
    return made


def write_job(
    folder: Path,
    base: Path,
    trains: Literal["adapter", "model"] = "adapter",
    options: Options = FAST,
    lines: list[TrainingText] | None = None,
) -> Path:
    write_bundle(folder, trains, options, lines or texts(), base / "tokenizer.json")
    return folder


def look_on(base: Path, bundle: Path, out: Path) -> None:
    """Train; write what each process held, the gradients of the first step, and how often each sample was taken."""
    import torch
    from torch.distributed.tensor import DTensor
    from transformers import TrainerCallback

    from idiolect.training.bundle import open_bundle
    from idiolect.training.processes import join
    from idiolect.training.train import build, check

    processes = join(on_cpu=True)
    trainer, _ = build(open_bundle(bundle), base, processes, lambda _: None, 300)
    seen: dict[str, Any] = {}

    class Look(TrainerCallback):
        def on_pre_optimizer_step(self, *_: Any, **__: Any) -> None:
            if seen:
                return
            weights = {n: p for n, p in trainer.model.named_parameters() if p.grad is not None}
            full = {n: p.grad.full_tensor() if isinstance(p.grad, DTensor) else p.grad for n, p in weights.items()}
            seen.update(
                gradients={n: g.clone() for n, g in full.items()},
                held={n: tuple((p.to_local() if isinstance(p, DTensor) else p).shape) for n, p in weights.items()},
                whole={n: tuple(p.shape) for n, p in weights.items()},
                wrapper=type(trainer.model_wrapped).__name__,
                mine=sorted(trainer.consumed),
            )

    trainer.add_callback(Look())
    trainer.train()
    check(trainer)
    seen["loss"] = [e["loss"] for e in trainer.state.log_history if "loss" in e]
    seen["held_out"] = [e["eval_loss"] for e in trainer.state.log_history if "eval_loss" in e]
    torch.save(seen, out / f"{processes.rank}.pt")


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    where, *jobs = map(Path, sys.argv[1:])
    for job, looked in zip(jobs[::2], jobs[1::2], strict=True):
        look_on(where, job, looked)
