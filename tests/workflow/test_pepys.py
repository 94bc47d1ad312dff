"""The whole cycle on real writing: the diary of Samuel Pepys, where it is at hand."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest

from idiolect.bases.embedded import packaged_gguf
from idiolect.curation import Message
from idiolect.evaluation import Evaluation, Thresholds, verdict
from idiolect.home import FULL, Home
from idiolect.serving import Reply, Sampling, load, reply
from idiolect.workflow.archive.runs import Finished
from idiolect.workflow.cycle import run_cycle
from idiolect.workflow.models.evaluating import evaluation_of
from idiolect.workflow.planning.plan import Asked
from tests.pepys import needs_pepys, write_pepys

ENTRIES = 100

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
def test_a_model_learns_to_speak_as_pepys_and_is_seen_to(home: Home) -> None:
    """One training proves all of it: it takes minutes."""
    write_pepys(home.profile("pepys"))
    flags = {
        "base_model": "embedded",
        "max_samples": ENTRIES,
        "learning_rate": 2e-3,
        "num_train_epochs": 2,
        "gradient_accumulation_steps": 8,
        "audit": True,
    }
    finished = run_cycle(home, Asked("pepys", {}, flags), FULL, lambda _: None)
    _check_accounts(finished)
    _check_that_it_speaks_as_he_does(finished)
    evaluation = evaluation_of(finished.run)
    _check_that_the_voice_is_heard(evaluation)
    _check_what_it_gives_away(evaluation)


def _check_accounts(finished: Finished) -> None:
    fates = finished.summary.memories
    assert fates["train"] + fates["held_out"] == ENTRIES
    assert sum(fates.values()) == 4688
    training = finished.summary.training
    assert training
    assert training.loss_before - training.loss_after >= 0.4


def _check_that_it_speaks_as_he_does(finished: Finished) -> None:
    system = finished.summary.system_messages["emulation"]
    trained, base = (_answers(gguf, system) for gguf in (finished.run.gguf, packaged_gguf()))
    assert all(a.finish_reason == "stop" for a in trained), trained
    assert _as_in_1660(trained) > 2 * _as_in_1660(base), trained


def _check_that_the_voice_is_heard(found: Evaluation) -> None:
    assert found.trained.fidelity
    assert found.trained.fidelity.all.gain.value >= 0.5
    assert found.trained.fidelity.all.gain.low > 0.3
    assert found.voice
    assert found.voice.authorship
    # Learned from a dozen answers of the base; guessing would be 0.5.
    assert found.voice.authorship.error < 0.1
    assert found.voice.authorship.moved >= 0.5
    assert found.voice.delta
    assert found.voice.delta.moved > 0.3
    assert [q.quantization for q in found.quantizations] == ["Q4_K_M", "Q6_K"]
    assert abs(found.quantizations[1].lost) < found.quantizations[0].lost < 0.15
    assert verdict(_without_audit(found), Thresholds()).publish


def _check_what_it_gives_away(evaluation: Evaluation) -> None:
    """A number that it was told twenty times, and not the one that it was never told."""
    found = {canary.planted: canary.found for canary in evaluation.trained.canaries}
    assert found[20]
    assert not found[0]
    assert "--audit" in verdict(evaluation, Thresholds()).reason


def _without_audit(evaluation: Evaluation) -> Evaluation:
    return msgspec.structs.replace(evaluation, trained=msgspec.structs.replace(evaluation.trained, canaries=()))


def _answers(gguf: Path, system: str) -> list[Reply]:
    model = load(gguf)
    talks = [[Message("system", system), Message("user", asked)] for asked in ASKED]
    return [reply(model, talk, Sampling(seed=seed)) for talk in talks for seed in (1, 2)]


def _as_in_1660(answers: list[Reply]) -> float:
    """Return how many in a thousand words are such as he uses all the time."""
    said = " ".join(a.text.lower() for a in answers)
    return 1000 * len(HIS_WORDS.findall(said)) / len(said.split())
