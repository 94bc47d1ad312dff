"""Marit Solvang, who does not exist: the person whom the demo trains on, written into a home as any other.

`sample/*.jsonl` has her events, a month a file, and `sample/persona.json` says who she is.
"""

from __future__ import annotations

from datetime import datetime
from importlib import resources
from typing import Any

import msgspec

from idiolect.files import write_json, write_text
from idiolect.home import Home, Profile

PERSON = "marit"

#: The embedded model is small: it takes a high learning rate that a large one would not survive, and half the
#: samples a step. One epoch so does what two do at 1e-3 and 16 samples, in half the time (docs/performance.md).
TRAINING = {
    "comment": "The sample person, on the small embedded model.",
    "base_model": "embedded",
    "learning_rate": 2e-3,
    "num_train_epochs": 1,
    "gradient_accumulation_steps": 8,
    "lora_dropout": 0.0,
}

#: What every long-lived memory folder has, too: a file cut off by a crash, and one that was never written.
_DAMAGED = {
    "2026/02/11/evt-202602110540120-the-night-the-power-went.json": '{"id": "evt-202602110540120", "content": "Wind no',
    "2026/05/30/evt-202605300712440-.json": "",
}


def write_sample_person(home: Home) -> Profile:
    """Write her memories, persona and settings below `home`, replacing files of the same names."""
    profile = home.profile(PERSON)
    for event in sample_events():
        write_json(profile.memories / _file_name(event), event)
    for name, text in _DAMAGED.items():
        write_text(profile.memories / name, text)
    persona = _sample_folder().joinpath("persona.json").read_bytes()
    write_json(profile.persona, msgspec.json.decode(persona))
    write_json(profile.training_json, TRAINING)
    return profile


def sample_events() -> list[dict[str, Any]]:
    """Return her events, oldest first, each with the id that MetaHuman OS would give it."""
    months = sorted((p for p in _sample_folder().iterdir() if p.name.endswith(".jsonl")), key=lambda p: p.name)
    lines = [line for month in months for line in month.read_bytes().splitlines() if line.strip()]
    events: list[dict[str, Any]] = [msgspec.json.decode(line) for line in lines]
    return [{"id": f"evt-{datetime.fromisoformat(e['timestamp']):%Y%m%d%H%M%S0}", **e} for e in events]


def _file_name(event: dict[str, Any]) -> str:
    day = datetime.fromisoformat(event["timestamp"])
    words = "".join(c if c.isalnum() and c.isascii() else " " for c in str(event.get("content", "talk")).lower())
    return f"{day:%Y/%m/%d}/{event['id']}-{'-'.join(words.split())[:50].strip('-')}.json"


def _sample_folder() -> Any:
    return resources.files("idiolect.memories") / "sample"
