"""One training as others do it, in whichever environment runs this: `python training_others.py WAY DATA OUT`.

DATA is what training.py writes. OUT gets the adapter, and time.json with seconds and optimizer steps. `naive` is the
way of MetaHuman OS: one sample at a time, loss on the full text; the others are settings of TRL's SFTTrainer.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM, AutoTokenizer, Trainer, TrainingArguments, set_seed

#: What differs from TRL's defaults: nothing is trained with checkpointing or autocast, which cost a CPU time.
TRL: dict[str, dict[str, Any]] = {
    "trl-padded": {"per_device_train_batch_size": 8},
    "trl-padding-free": {"per_device_train_batch_size": 8, "padding_free": True, "max_length": None},
    "trl-packed": {"per_device_train_batch_size": 1, "packing": True, "max_length": 512},
}


def arguments(settings: dict[str, Any], out: Path, a_pass: int) -> dict[str, Any]:
    return {
        "output_dir": str(out),
        "num_train_epochs": 1,
        "gradient_accumulation_steps": settings["samples_a_step"] // a_pass,
        "learning_rate": settings["learning_rate"],
        "lr_scheduler_type": "cosine",
        "warmup_steps": settings["warmup_steps"],
        "weight_decay": 0.0,
        "optim": "adamw_torch",
        "seed": settings["seed"],
        "use_cpu": True,
        "save_strategy": "no",
        "logging_steps": 1,
        "report_to": [],
        "disable_tqdm": True,
    }


def adapter(settings: dict[str, Any]) -> LoraConfig:
    return LoraConfig(
        task_type="CAUSAL_LM", r=settings["rank"], lora_alpha=2 * settings["rank"], target_modules="all-linear"
    )


def naive(data: dict[str, Any], out: Path) -> Any:
    settings = data["settings"]
    model = get_peft_model(AutoModelForCausalLM.from_pretrained(data["base"], dtype=torch.bfloat16), adapter(settings))
    samples = [{"input_ids": s["input_ids"], "labels": s["input_ids"]} for s in data["train"]]

    def collate(batch: list[dict[str, Any]]) -> dict[str, torch.Tensor]:
        (sample,) = batch
        return {name: torch.tensor([values]) for name, values in sample.items()}

    given = arguments(settings, out, 1) | {"per_device_train_batch_size": 1}
    return Trainer(model=model, args=TrainingArguments(**given), train_dataset=samples, data_collator=collate)


def with_trl(way: str, data: dict[str, Any], out: Path) -> Any:
    from datasets import Dataset
    from trl import SFTConfig, SFTTrainer

    settings, changed = data["settings"], TRL[way]
    given = arguments(settings, out, changed["per_device_train_batch_size"]) | changed
    return SFTTrainer(
        model=AutoModelForCausalLM.from_pretrained(data["base"], dtype=torch.bfloat16),
        args=SFTConfig(**given, bf16=False, gradient_checkpointing=False, completion_only_loss=True),
        train_dataset=Dataset.from_list(
            [{"input_ids": s["input_ids"], "completion_mask": s["learned"]} for s in data["train"]]
        ),
        processing_class=AutoTokenizer.from_pretrained(data["base"]),
        peft_config=adapter(settings),
    )


def main(way: str, data_file: str, out_folder: str) -> None:
    data, out = json.loads(Path(data_file).read_bytes()), Path(out_folder)
    set_seed(data["settings"]["seed"])
    trainer = naive(data, out) if way == "naive" else with_trl(way, data, out)
    done = trainer.train()
    trainer.save_model(str(out))
    times = {"seconds": done.metrics["train_runtime"], "steps": trainer.state.global_step}
    (out / "time.json").write_text(json.dumps(times))


if __name__ == "__main__":
    main(*sys.argv[1:])
