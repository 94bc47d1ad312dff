"""What the training settings of a MetaHuman OS checkout mean here: keys in other words, keys without a meaning, copies.

Keys and values are those of its commits up to 0edce518 (2026-09): etc/training*.json, etc/fine-tune-config.json,
etc/modes/*-config.json, and what its trainers (docker/runpod-trainer) and its training wizard read and write.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from idiolect.config.written import is_remark

_TEMPLATE = "the base model's own chat template is"
_CHECKPOINTS = "a checkpoint is written after each epoch"
_RULES = "see profiles/<user>/etc/curation.json"

#: A key that MetaHuman OS knows and that means nothing here → what takes its place (an option, or what is always done).
NOT_OURS: Mapping[str, str] = {
    "fp16": "see dtype",
    "bf16": "see dtype",
    "load_in_8bit": "see load_in_4bit",
    "load_in_16bit": "see load_in_4bit",
    "bnb_4bit_quant_type": "load_in_4bit is always NF4",
    "bnb_4bit_use_double_quant": "load_in_4bit always quantizes twice",
    "logging_steps": "train-log.jsonl has every step",
    "save_strategy": _CHECKPOINTS,
    "save_steps": _CHECKPOINTS,
    "eval_strategy": "the held-out loss is measured after each epoch",
    "load_best_model_at_end": "it always is",
    "metric_for_best_model": "it is the held-out loss",
    "max_grad_norm": "gradients are always clipped at 1",
    "chat_template": _TEMPLATE,
    "output_format": _TEMPLATE,
    "training_mode": "the command says it, full-cycle or fine-tune-cycle",
    "cognitive_mode": "see mode",
    "mode_filter": "see mode",
    "dataset_requirements": "idiolect dataset warns of too few",
    "gguf_conversion": "a GGUF is always written, as its quantization_type says",
    "skipGguf": "a GGUF is always written",
    "trainingTarget": "see publish",
    "data": _RULES,
    "curator": _RULES,
    "collection": _RULES,
    "memoryTypes": _RULES,
    "phases": "see max_samples, days_recent, old_samples",
}

#: A key of MetaHuman OS → ours of the same meaning.
SAME: Mapping[str, str] = {"optim": "optimizer", "monthly_training": "monthly"}

#: Its names of what makes a data set → ours. `ai` had a model write the samples.
BUILDERS: Mapping[str, str] = {"advanced": "curated", "ai": "curated"}

#: What it writes as profiles/<user>/etc/training.json of each user, and never reads (packages/core/src/profile.ts).
_NEW_PROFILE: dict[str, Any] = {
    "base_model": "unsloth/Qwen3-Coder-30B-A3B-Instruct",
    "max_seq_length": 2048,
    "lora_rank": 8,
    "lora_alpha": 16,
    "num_train_epochs": 2,
    "learning_rate": 0.0002,
    "per_device_train_batch_size": 1,
    "gradient_accumulation_steps": 16,
    "dtype": "bfloat16",
}
_NEWER = {"base_model": "unsloth/Qwen3.5-9B", "lora_dropout": 0, "load_in_4bit": False, "load_in_16bit": True}

#: Digests of the etc/training.json that it was ever shipped with: its web page copies that of the day to the profile.
_SHIPPED = frozenset(
    {
        "2426f851d8f4a7e0",
        "e3c7ab24fd6895b0",
        "01ecac3eeb42fa6a",
        "1436cdf3c82432b9",
        "e1dd25db74a67e27",
        "79f19e9873825c8b",
        "18a108a001cfba39",
        "9ad1b6ea6cccdf7a",
    }
)


def is_its_own(settings: Mapping[str, Any], of_home: Mapping[str, Any]) -> bool:
    """Whether a profile's training.json was put there by MetaHuman OS: its defaults, or a copy of etc/training.json.

    `of_home` is what etc/training.json says now. A person's own file differs from all of these in a value at least.
    """
    return (
        settings in (_NEW_PROFILE, _NEW_PROFILE | _NEWER)
        or (bool(settings) and settings == of_home)
        or _digest(settings) in _SHIPPED
    )


def understood(layer: dict[str, Any]) -> dict[str, str]:
    """Put settings of MetaHuman OS' into our words, in place; return what is to be said of each of its keys."""
    said = {}
    for theirs in [key for key in SAME if key in layer]:
        value = layer.pop(theirs)
        layer.setdefault(SAME[theirs], value)
        said[theirs] = f"taken as {SAME[theirs]}"
    conversion = layer.get("gguf_conversion")
    if isinstance(conversion, dict) and "quantization_type" in conversion:
        layer.setdefault("quantization", conversion["quantization_type"])
    if layer.get("load_in_16bit") is True:
        layer.setdefault("load_in_4bit", False)
    for key in [key for key in layer if key in NOT_OURS]:
        del layer[key]
        said[key] = f"not used, {NOT_OURS[key]}"
    named = layer.get("dataset_builder")
    if isinstance(named, str):
        name = named.strip().lower()
        layer["dataset_builder"] = BUILDERS.get(name, name)
        if name == "ai":
            said["dataset_builder ai"] = "taken as curated: samples are the person's own words, no model writes them"
    return said


def _digest(settings: Mapping[str, Any]) -> str:
    """Return what tells settings from others, whatever their order, layout and remarks."""
    plain = {key: value for key, value in settings.items() if not is_remark(key)}
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()[:16]
