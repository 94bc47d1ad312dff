"""How fast the training loop's rows are.

    python benchmarks/training.py

One run, one process, the sample person on the embedded model: forward and backward over the same 32 samples, fused
into rows or one at a time, with eager or fused attention. Prints tokens a second and the ratio to one at a time.
"""

from __future__ import annotations

import itertools
import statistics
import tempfile
import time
from pathlib import Path

import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM

from idiolect.bases import resolve
from idiolect.config import CurationRules, Options
from idiolect.curation import curate
from idiolect.dataset import apply_schema, export, format_samples, load_chat_template, system_messages, token_counts
from idiolect.home import Home
from idiolect.memories import read_memories
from idiolect.memories.sample_person import write_sample_person
from idiolect.training.loop import summed_loss
from idiolect.training.rows import fuse
from idiolect.training.tokens import TokenizedSample, tokenize

SAMPLES = 32
A_STEP = 8
ROUNDS = 3


def samples_of_marit(home: Home, base: Path) -> list[TokenizedSample]:
    profile = write_sample_person(home)
    curated = curate(read_memories(profile), Options(), CurationRules()).samples
    formatted = format_samples(curated, system_messages("Marit Solvang", Options(), CurationRules()))
    rendered = apply_schema(formatted, load_chat_template(base))
    tokens = token_counts(rendered, base / "tokenizer.json")
    return tokenize(export(rendered, tokens, 2048, seed=42)[:SAMPLES], base / "tokenizer.json")


def seconds(base: Path, samples: list[TokenizedSample], budget: int, attention: str, dropout: float) -> float:
    """Return the median time of a pass over all samples."""
    model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.bfloat16, attn_implementation=attention)
    adapter = LoraConfig(task_type="CAUSAL_LM", target_modules="all-linear", lora_dropout=dropout)
    model = get_peft_model(model, adapter, autocast_adapter_dtype=False).train()
    steps = [fuse(samples[i : i + A_STEP], budget) for i in range(0, len(samples), A_STEP)]
    times = []
    for _ in range(ROUNDS + 1):
        began = time.perf_counter()
        for row in itertools.chain.from_iterable(step["rows"] for step in steps):
            summed_loss(model, row).backward()
        times.append(time.perf_counter() - began)
    return statistics.median(times[1:])


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        home = Home(Path(folder))
        base = resolve("embedded", home.cache).folder
        samples = samples_of_marit(home, base)
        tokens = sum(len(s.tokens) for s in samples)
        print(f"{len(samples)} samples, {tokens} tokens, {torch.get_num_threads()} threads, bfloat16")
        first = 0.0
        for budget, attention, dropout in (
            (1, "eager", 0.0),
            (1, "sdpa", 0.0),
            (256, "eager", 0.0),
            (512, "eager", 0.0),
            (512, "sdpa", 0.0),
            (512, "eager", 0.05),
            (1024, "eager", 0.0),
        ):
            took = seconds(base, samples, budget, attention, dropout)
            first = first or took
            rows = "one at a time" if budget == 1 else f"rows of {budget}"
            print(
                f"{rows:<14} {attention:<6} dropout {dropout:<5} {tokens / took:6.0f} tokens/s  {first / took:5.2f} x"
            )


if __name__ == "__main__":
    main()
