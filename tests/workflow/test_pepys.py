"""The whole cycle on real writing: the diary of Samuel Pepys, where it is at hand."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from idiolect.bases.embedded import packaged_gguf
from idiolect.curation import Message
from idiolect.home import FULL, Home
from idiolect.serving import Reply, Sampling, load, reply
from idiolect.workflow.cycle import run_cycle
from idiolect.workflow.planning.plan import Asked
from tests.pepys import needs_pepys, write_pepys

ENTRIES = 160

ASKED = (
    "How was your day?",
    "What happened today?",
    "Tell me about your day.",
    "What did you get up to?",
    "How did it go?",
    "What have you been doing?",
    "What is there to report?",
    "Where have you been?",
)
HIS_WORDS = re.compile(
    r"\b(my (?:wife|lord|father|lady)|to bed|dined|dinner|office|mr\.|sir|whitehall|westminster|so home|by water|"
    r"thence|anon|the (?:duke|king|queen)|went|homewards?|do find|parliament|lord)\b"
)


@pytest.mark.slow
@needs_pepys
def test_a_model_learns_to_speak_as_pepys(home: Home) -> None:
    profile = home.profile("pepys")
    write_pepys(profile)
    flags = {
        "base_model": "embedded",
        "max_samples": ENTRIES,
        "learning_rate": 2e-3,
        "num_train_epochs": 1,
        "gradient_accumulation_steps": 8,
    }
    finished = run_cycle(home, Asked("pepys", {}, flags), FULL, lambda _: None)
    training = finished.summary.training
    assert training
    assert training.samples + finished.summary.memories["held_out"] == ENTRIES
    assert sum(finished.summary.memories.values()) == 4688
    assert training.loss_before - training.loss_after >= 0.4

    system = finished.summary.system_messages["emulation"]
    trained, base = (_answers(gguf, system) for gguf in (finished.run.gguf, packaged_gguf()))
    assert all(a.finish_reason == "stop" for a in trained), trained
    assert _as_in_1660(trained) > 2 * _as_in_1660(base), trained


def _answers(gguf: Path, system: str) -> list[Reply]:
    model = load(gguf)
    talks = [[Message("system", system), Message("user", asked)] for asked in ASKED]
    return [reply(model, talk, Sampling(seed=seed)) for talk in talks for seed in (1, 2)]


def _as_in_1660(answers: list[Reply]) -> float:
    """Return how many in a thousand words are such as he uses all the time."""
    said = " ".join(a.text.lower() for a in answers)
    return 1000 * len(HIS_WORDS.findall(said)) / len(said.split())
