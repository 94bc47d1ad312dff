"""What bfloat16 weights lose of their steps, and what rounding by chance saves of it.

    python benchmarks/rounding.py

The sample person on the embedded model, an adapter and all weights at their default learning rates: the weights in
float32; in bfloat16 with torch's AdamW and Transformers' Adafactor, which round to the nearest number; in bfloat16 with
ours. Prints how far the held-out loss fell (nats a token), and the seconds of a step.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any, Literal

from idiolect.bases import resolve
from idiolect.config import CurationRules, Options
from idiolect.curation import curate
from idiolect.dataset import apply_schema, export, format_samples, load_chat_template, system_messages
from idiolect.home import Home
from idiolect.memories import read_memories
from idiolect.memories.sample_person import write_sample_person
from idiolect.training import write_bundle
from idiolect.training.bundle import open_bundle
from idiolect.training.processes import Processes
from idiolect.training.train import build

SAMPLES = 128
ASKED: dict[Literal["adapter", "model"], dict[str, Any]] = {
    "adapter": {"learning_rate": 2e-4, "optimizer": "adamw_torch"},
    "model": {"learning_rate": 1e-5, "optimizer": "adafactor"},
}


def fall(folder: Path, base: Path, how: str) -> tuple[float, float]:
    """Return by how much the held-out loss fell in an epoch, and the seconds of a step."""
    job = open_bundle(folder)
    trainer, _ = build(job, base, Processes(0, 1), lambda _: None, 3600)
    if how == "nearest":
        trainer.optimizer_cls_and_kwargs = None
    before = trainer.evaluate()["eval_loss"]
    began = time.perf_counter()
    trainer.train()
    seconds = time.perf_counter() - began
    after = min(e["eval_loss"] for e in trainer.state.log_history if "eval_loss" in e)
    return before - after, seconds / trainer.state.global_step


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        home = Home(Path(folder))
        base = resolve("embedded", home.cache).folder
        curated = curate(read_memories(write_sample_person(home)), Options(), CurationRules()).samples
        formatted = format_samples(curated, system_messages("Marit Solvang", Options(), CurationRules()))
        tokenizer = base / "tokenizer.json"
        rendered = apply_schema(formatted, load_chat_template(base), tokenizer, 2048)[:SAMPLES]
        lines = export(rendered, seed=42)
        print(f"{len(lines)} samples, one epoch of steps of 8")
        for trains, asked in ASKED.items():
            for how in ("float32", "nearest", "by chance"):
                options = Options(
                    dtype="float32" if how == "float32" else "bfloat16",
                    num_train_epochs=1,
                    gradient_accumulation_steps=8,
                    lora_dropout=0.0,
                    load_in_4bit=False,
                    use_gradient_checkpointing=False,
                    **asked,
                )
                bundle = Path(folder, f"{trains} {how}")
                write_bundle(bundle, trains, options, lines, tokenizer)
                fell, seconds = fall(bundle, base, how)
                print(f"{trains:<8} {how:<10} held-out loss fell by {fell:.4f}  {seconds:6.2f} s a step", flush=True)


if __name__ == "__main__":
    main()
