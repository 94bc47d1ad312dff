"""How fast a training learns, beside how others do it.

    python benchmarks/training.py [--samples N] [--rounds N] [--trl PYTHON] [--llama-factory PYTHON] [--pass]

One run, the embedded model, LoRA r=8, the sample person's shortest talks: the same tokens in the same number of samples
an optimizer step (where packing does not change it), the same seed, learning rate and schedule; each training in a
process of its own, in turn; medians of the rounds; held-out loss by our own evaluator. TRL and LLaMA-Factory are run
by the Python of environments of their own, and left out where none is given:

    python -m venv trl && trl/bin/pip install --constraint constraints.txt trl==1.16.0 torch peft
    python -m venv llama-factory && llama-factory/bin/pip install llamafactory==0.9.5 torch==2.13.0

With --pass only forward and backward passes are timed, laid out and attended to in several ways.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import AutoModelForCausalLM

from idiolect.bases import resolve
from idiolect.config import CurationRules, Options
from idiolect.curation import curate
from idiolect.dataset import (
    TokenizedSample,
    TrainingText,
    apply_schema,
    export,
    format_samples,
    load_chat_template,
    system_messages,
    token_counts,
    tokenize,
)
from idiolect.home import Home
from idiolect.memories import read_memories
from idiolect.memories.sample_person import write_sample_person
from idiolect.training import Stepped, decode, write_bundle
from idiolect.training.attention import BY_SAMPLE, register
from idiolect.training.loop import summed_loss
from idiolect.training.rows import fuse

HELD_OUT = 40
SETTINGS: dict[str, Any] = {"samples_a_step": 16, "learning_rate": 1e-3, "warmup_steps": 2, "seed": 42, "rank": 8}
TRL_WAYS = ("trl-padded", "trl-padding-free", "trl-packed")
#: Samples on which the settings of TRL are tried once; the best is measured beside the others.
TRIED = 32


@dataclass(frozen=True)
class Data:
    base: Path
    train: list[TrainingText]
    held_out: list[TrainingText]

    @property
    def tokenizer(self) -> Path:
        return self.base / "tokenizer.json"


@dataclass(frozen=True)
class Trained:
    seconds: float
    steps: int
    adapter: Path


Train = Callable[[Data, Path], Trained]


def texts_of_marit(home: Home, base: Path) -> list[TrainingText]:
    """Return her talks as training texts, the shortest first."""
    profile = write_sample_person(home)
    curated = curate(read_memories(profile), Options(), CurationRules()).samples
    formatted = format_samples(curated, system_messages("Marit Solvang", Options(), CurationRules()))
    rendered = apply_schema(formatted, load_chat_template(base), base / "tokenizer.json", 2048)
    tokens = token_counts(rendered, base / "tokenizer.json")
    return sorted(export(rendered, seed=42), key=lambda text: tokens[text.id])


def ours(data: Data, folder: Path) -> Trained:
    """Train as a cycle does, by the command that a machine runs."""
    options = Options(
        num_train_epochs=1,
        learning_rate=SETTINGS["learning_rate"],
        warmup_steps=int(SETTINGS["warmup_steps"]),
        gradient_accumulation_steps=int(SETTINGS["samples_a_step"]),
        lora_rank=int(SETTINGS["rank"]),
        lora_dropout=0.0,
        optimizer="adamw_torch",
    )
    train = [text_in(text, "train") for text in data.train]
    write_bundle(folder, "adapter", options, [*train, text_in(data.held_out[0], "held_out")], data.tokenizer)
    run([sys.executable, "-m", "idiolect.training", str(folder), "--base", str(data.base)])
    last = [event for event in decode((folder / "events.jsonl").read_bytes()) if isinstance(event, Stepped)][-1]
    learned = sum(sample.learned_tokens for sample in tokenize(train, data.tokenizer))
    return Trained(learned / last.tokens_per_second, last.steps, folder / "outputs" / "adapter")


def text_in(text: TrainingText, split: Any) -> TrainingText:
    return TrainingText(id=text.id, split=split, mode=text.mode, text=text.text, learned=text.learned)


def by_others(way: str, python: str) -> Train:
    """Return a training by training_others.py."""

    def train(data: Data, folder: Path) -> Trained:
        folder.mkdir()
        samples = [{"input_ids": s.tokens, "learned": s.learned} for s in tokenize(data.train, data.tokenizer)]
        file = folder / "data.json"
        file.write_text(json.dumps({"base": str(data.base), "settings": SETTINGS, "train": samples}))
        run([python, str(Path(__file__).with_name("training_others.py")), way, str(file), str(folder)])
        times = json.loads((folder / "time.json").read_bytes())
        return Trained(times["seconds"], times["steps"], folder)

    return train


def by_llama_factory(python: str) -> Train:
    """Return a training by LLaMA-Factory at its defaults, but for what all have in common."""

    def train(data: Data, folder: Path) -> Trained:
        folder.mkdir()
        talks = [{"messages": messages(text.text)} for text in data.train]
        (folder / "talks.json").write_text(json.dumps(talks))
        tags = {"role_tag": "role", "content_tag": "content", "user_tag": "user", "assistant_tag": "assistant"}
        info: dict[str, Any] = {
            "file_name": "talks.json",
            "formatting": "sharegpt",
            "columns": {"messages": "messages"},
        }
        info["tags"] = tags | {"system_tag": "system"}
        (folder / "dataset_info.json").write_text(json.dumps({"talks": info}))
        (folder / "job.yaml").write_text(json.dumps(llama_factory_job(data.base, folder)))
        run([python, "-m", "llamafactory.cli", "train", str(folder / "job.yaml")])
        results = json.loads((folder / "out" / "train_results.json").read_bytes())
        state = json.loads((folder / "out" / "trainer_state.json").read_bytes())
        return Trained(results["train_runtime"], state["global_step"], folder / "out")

    return train


def llama_factory_job(base: Path, folder: Path) -> dict[str, Any]:
    a_pass = 8
    return {
        "model_name_or_path": str(base),
        "stage": "sft",
        "do_train": True,
        "finetuning_type": "lora",
        "lora_rank": SETTINGS["rank"],
        "lora_target": "all",
        "dataset_dir": str(folder),
        "dataset": "talks",
        "template": "smollm2",
        "output_dir": str(folder / "out"),
        "per_device_train_batch_size": a_pass,
        "gradient_accumulation_steps": int(SETTINGS["samples_a_step"]) // a_pass,
        "learning_rate": SETTINGS["learning_rate"],
        "lr_scheduler_type": "cosine",
        "warmup_steps": SETTINGS["warmup_steps"],
        "num_train_epochs": 1,
        "seed": SETTINGS["seed"],
        "bf16": True,
        "use_cpu": True,
        "save_strategy": "no",
        "report_to": "none",
    }


def messages(text: str) -> list[dict[str, str]]:
    """Return the messages of a talk in ChatML."""
    turns = [turn.partition("\n") for turn in text.split("<|im_start|>")[1:]]
    return [{"role": role, "content": said.partition("<|im_end|>")[0]} for role, _, said in turns]


def run(command: list[str]) -> None:
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env=os.environ | {"HF_HUB_OFFLINE": "1"}
    )
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stderr[-3000:]}")


def held_out_loss(data: Data, adapter: Path) -> float:
    """Return nats a token of the person's own held-out words."""
    base = AutoModelForCausalLM.from_pretrained(data.base, dtype=torch.float32, attn_implementation=BY_SAMPLE)
    model = PeftModel.from_pretrained(base, adapter).eval()
    step = fuse(tokenize(data.held_out, data.tokenizer), 512)
    with torch.no_grad():
        return float(sum(summed_loss(model, row).item() for row in step["rows"]) / step["learned_tokens"])


def best_of_trl(data: Data, python: str, folder: Path) -> str:
    """Try each setting once on a few samples, say how each did, and return the fastest."""
    few = Data(data.base, data.train[:: max(1, len(data.train) // TRIED)][:TRIED], data.held_out)
    times = {}
    for way in TRL_WAYS:
        trained = by_others(way, python)(few, folder / f"tried-{way}")
        times[way] = trained.seconds
        loss = held_out_loss(data, trained.adapter)
        print(
            f"  {way}: {len(few.train)} samples in {trained.seconds:.1f} s, {trained.steps} steps, held-out {loss:.3f}"
        )
    return min(times, key=times.__getitem__)


def compare(data: Data, folder: Path, arguments: argparse.Namespace) -> None:
    ways: dict[str, Train] = {"one at a time, full text": by_others("naive", sys.executable), "ours": ours}
    if arguments.trl:
        way = best_of_trl(data, arguments.trl, folder)
        ways[f"TRL, {way.removeprefix('trl-')}"] = by_others(way, arguments.trl)
    else:
        print("TRL is left out: no --trl PYTHON was given.")
    if arguments.llama_factory:
        ways["LLaMA-Factory"] = by_llama_factory(arguments.llama_factory)
    else:
        print("LLaMA-Factory is left out: no --llama-factory PYTHON was given.")
    done: dict[str, list[Trained]] = {way: [] for way in ways}
    for number, (way, train) in itertools.product(range(arguments.rounds), ways.items()):
        done[way].append(train(data, folder / f"{number}-{way}"))
    speeds = {way: len(data.train) / statistics.median(t.seconds for t in trained) for way, trained in done.items()}
    print("| way | samples a second | ours is | optimizer steps | held-out loss |\n|---|---|---|---|---|")
    for way, trained in done.items():
        loss = held_out_loss(data, trained[0].adapter)
        ratio = speeds["ours"] / speeds[way]
        print(f"| {way} | {speeds[way]:.2f} | {ratio:.2f} x | {trained[0].steps} | {loss:.3f} |")


def passes(data: Data) -> None:
    """Time forward and backward over 32 samples, in layouts and attentions that could be chosen."""
    samples = tokenize(data.train[:: max(1, len(data.train) // 32)][:32], data.tokenizer)
    tokens = sum(len(s.tokens) for s in samples)
    first = 0.0
    for budget, attention in ((1, "sdpa"), (512, "sdpa"), (512, "eager"), (512, BY_SAMPLE), (2048, BY_SAMPLE)):
        took = seconds_of_a_pass(data.base, samples, budget, attention)
        first = first or took
        rows = "one at a time" if budget == 1 else f"rows of {budget}"
        print(f"{rows:<14} {attention:<18} {tokens / took:6.0f} tokens/s  {first / took:5.2f} x")


def seconds_of_a_pass(base: Path, samples: list[TokenizedSample], budget: int, attention: str) -> float:
    model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.bfloat16, attn_implementation=attention)
    adapter = LoraConfig(task_type="CAUSAL_LM", target_modules="all-linear")
    model = get_peft_model(model, adapter, autocast_adapter_dtype=False).train()
    steps = [fuse(samples[i : i + 16], budget) for i in range(0, len(samples), 16)]
    times = []
    for _ in range(3):
        began = time.perf_counter()
        for row in itertools.chain.from_iterable(step["rows"] for step in steps):
            summed_loss(model, row).backward()
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=96)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--trl", default="")
    parser.add_argument("--llama-factory", default="")
    parser.add_argument("--pass", dest="passes", action="store_true")
    arguments = parser.parse_args()
    register()
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        home = Home(folder / "home")
        base = resolve("embedded", home.cache).folder
        texts = texts_of_marit(home, base)
        held_out = texts[5 :: len(texts) // HELD_OUT][:HELD_OUT]
        train = [text for text in texts if text not in held_out][: arguments.samples]
        data = Data(base, train, held_out)
        tokens = [len(sample.tokens) for sample in tokenize(train, data.tokenizer)]
        print(f"{len(train)} samples of {min(tokens)} to {max(tokens)} tokens, {torch.get_num_threads()} threads")
        passes(data) if arguments.passes else compare(data, folder, arguments)


if __name__ == "__main__":
    main()
