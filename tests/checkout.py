"""A MetaHuman OS checkout as it stands on a disk: its settings, users, memories, runs, in files that we write here.

Names, keys and shapes are those of its commits eabcdc93 and 0edce518; not a line of its files stands here.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from idiolect.files import write_json, write_text
from idiolect.home import FINE_TUNE, FULL, Home, Profile, Run
from tests.tiny import SENTENCES

TRAINING = """{
  "base_model": "unsloth/Qwen3-14B",
  "max_seq_length": 256, // short, for a tiny model
  "lora_rank": 4,
  "lora_alpha": 8,
  "num_train_epochs": 1,
  "learning_rate": 0.001,
  "gradient_accumulation_steps": 4,
  "optimizer": "paged_adamw_8bit",
  "load_in_4bit": true,
  "dtype": "bfloat16",
  "fp16": false,
  "bf16": true,
  "logging_steps": 10,
  "save_strategy": "epoch",
  "chat_template": "chatml",
  "system_prompt": "You are MetaHuman Greg, a helpful assistant.",
  "notes": {"model_size": "14B"},
}
"""
NEW_PROFILE = {
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


def write_checkout(home: Home, person: str = "marit", memories: int = 24) -> Profile:
    """Write a checkout with one user, as its registration leaves them, who has talked with it."""
    write_text(home.root / "package.json", '{"name": "metahuman-os"}\n')
    write_text(home.root / "pnpm-workspace.yaml", "packages: []\n")
    write_text(home.root / "brain" / "agents" / "full-cycle.ts", "export {}\n")
    write_text(home.root / ".env", "METAHUMAN_DATASET_BUILDER=ai\nBRAVE_SEARCH_API_KEY=brave-secret\n")
    write_text(home.training_json, TRAINING)
    write_json(home.root / "etc" / "models.json", {"globalSettings": {}})
    write_json(home.fine_tune_config, {"base_model": "Qwen/Qwen3-14B", "optim": "adafactor", "save_steps": 500})
    qwen = {"family": "qwen", "user_prefix": "<|user|>", "user_suffix": "", "assistant_prefix": "<|assistant|>"}
    write_json(home.schemas / "qwen.json", {**qwen, "assistant_suffix": "", "separator": "", "eos_token": "<|end|>"})
    profile = home.profile(person)
    write_users(home, {person: None})
    write_profile(profile, person, memories)
    return profile


def write_users(home: Home, places: Mapping[str, Any]) -> None:
    """Write persona/users.json: user → their `profileStorage`, or None."""
    users = [
        {
            "id": f"00000000-0000-4000-8000-{number:012}",
            "username": name,
            "passwordHash": "$2b$12$hash",
            "role": "owner" if number == 0 else "standard",
            "createdAt": "2025-11-01T00:00:00.000Z",
            "metadata": {"displayName": name, **({"profileStorage": place} if place else {})},
        }
        for number, (name, place) in enumerate(places.items())
    ]
    write_json(home.root / "persona" / "users.json", {"users": users, "version": 1})


def write_profile(profile: Profile, name: str, memories: int = 24) -> None:
    identity = {"name": name.capitalize(), "role": "Digital personality extension"}
    write_json(profile.persona, {"version": "0.1.0", "identity": identity})
    if profile.training_json != profile.home.training_json:
        write_json(profile.training_json, NEW_PROFILE)
    write_memories(profile.memories, memories)


def write_memories(folder: Path, count: int) -> None:
    """Write conversations as its capture does: a file a day, prompt in `content`, answer in `response`."""
    words = " ".join(SENTENCES).split()
    for n in range(count):
        day = f"2026/{1 + n // 28:02}/{1 + n % 28:02}"
        stamp = f"{day.replace('/', '-')}T08:00:00.000Z"
        event = {
            "id": f"evt-{stamp[:10].replace('-', '')}0800000",
            "timestamp": stamp,
            "content": f"What of number {n}?",
            "response": " ".join(words[(7 * n + k * k) % len(words)] for k in range(12)),
            "type": "conversation",
            "tags": ["conversation"],
            "importance": 0.5,
            "metadata": {"cognitiveMode": ("dual", "emulation", "agent")[n % 3]},
        }
        write_json(folder / day / f"{event['id']}-what-of-number-{n}.json", event)


def write_its_fine_tune(profile: Profile, label: str, summary: Mapping[str, Any] | None) -> Run:
    """Write a run as its fine-tune-cycle leaves it; one that is going on has no summary yet."""
    run = profile.run(FINE_TUNE, label)
    pairs = [{"input": "<|user|><user>: Hello?", "output": "<|assistant|><assistant>: It rains."}] * 3
    write_json(run.curated, [{"mode": "emulation", "user_text": "Hello?", "assistant_text": "It rains."}])
    write_text(run.dataset, "".join(json.dumps(pair) + "\n" for pair in pairs))
    write_text(run.folder / f"{label}.jsonl", run.dataset.read_text())
    write_text(run.weights / "config.json", "{}")
    if summary is not None:
        write_json(run.summary, {**ITS_SUMMARY, "runLabel": label, **summary})
        write_text(run.gguf, "GGUF of another program")
    return run


#: What its fine-tune-cycle says of a run (fine-tune-cycle.ts).
ITS_SUMMARY: Mapping[str, Any] = {
    "runId": "00aa11bb22cc33dd",
    "username": "marit",
    "baseModel": "Qwen/Qwen3-14B",
    "modeFilter": None,
    "totalSamples": 3,
    "createdAt": "2025-11-22T10:00:00.000Z",
    "status": "training_complete",
    "trainingSuccess": True,
    "error": None,
}


def write_its_adapter(profile: Profile, label: str, *, gguf: bool = True) -> Run:
    """Write a run as its full-cycle leaves it: no summary (that is in metahuman-runs/), links beside the run."""
    run = profile.run(FULL, label)
    write_text(run.dataset, '{"instruction": "<|user|><user>: Hello?", "input": "", "output": "It rains."}\n')
    write_text(run.weights / "adapter_model.safetensors", "weights of another program")
    write_text(run.weights / "checkpoint-10" / "trainer_state.json", "{}")
    if gguf:
        write_text(run.gguf, "GGUF of another program")
        write_text(run.modelfile, f"FROM {run.gguf}\n")
        (run.folder.parent / "adapter.gguf").symlink_to(run.gguf.relative_to(run.folder.parent))
    write_json(run.folder.parent / "latest-run.json", {"runLabel": label})
    work = profile.home.root / "metahuman-runs" / profile.person / label[:10] / label
    write_json(work / "run-summary.json", {"run_label": label, "training_success": gguf, "terminated": True})
    return run


def tree(root: Path) -> dict[str, str]:
    """Return the digest of each file below a folder, and where each link points."""
    return {
        str(path.relative_to(root)): str(path.readlink())
        if path.is_symlink()
        else hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob("*"))
        if path.is_symlink() or path.is_file()
    }
