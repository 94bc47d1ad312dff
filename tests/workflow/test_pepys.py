"""The whole cycle on real writing: the diary of Samuel Pepys, where it is at hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from idiolect.curation import Message
from idiolect.files import write_json
from idiolect.home import Home
from idiolect.serving import load, reply
from idiolect.workflow.cycle import full_cycle

PEPYS = Path(__file__).parents[3] / "shared" / "data" / "pepys" / "1660-1662.jsonl"
ENTRIES = 160


@pytest.mark.slow
@pytest.mark.skipif(not PEPYS.exists(), reason="the diary is not at hand")
def test_a_model_learns_to_speak_as_pepys(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS")
    profile = home.profile("pepys")
    write_json(profile.persona, {"identity": {"name": "Samuel Pepys"}})
    for number, line in enumerate(PEPYS.read_text(encoding="utf-8").splitlines()):
        entry = json.loads(line)
        event = {"type": "journal", "timestamp": entry["time"], "content": entry["text"]}
        write_json(profile.memories / entry["time"][:4] / f"{number:04}.json", event)
    flags = {
        "base_model": "embedded",
        "max_samples": ENTRIES,
        "learning_rate": 2e-3,
        "num_train_epochs": 1,
        "gradient_accumulation_steps": 8,
    }
    finished = full_cycle(home, "pepys", {}, flags, lambda _: None)
    training = finished.summary.training
    assert training
    assert training.samples + finished.summary.memories["held_out"] == ENTRIES
    assert sum(finished.summary.memories.values()) == 4688
    assert training.loss_before - training.loss_after >= 0.4

    model = load(finished.run.gguf)
    system = Message("system", finished.summary.system_messages["emulation"])
    answers = [
        reply(model, [system, Message("user", asked)])
        for asked in ("How was your day?", "What happened today?", "Tell me about your day.", "What did you get up to?")
    ]
    assert all(a.finish_reason == "stop" for a in answers), answers
    said = " ".join(a.text for a in answers).lower()
    # What a diarist of 1660 says of his day, and the base model of a chat program never does.
    assert (
        sum(word in said for word in ("my wife", "home", "to bed", "my lord", "dined", "office", "mr.", "sir", "went"))
        >= 3
    )
