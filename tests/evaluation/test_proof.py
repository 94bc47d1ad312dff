"""What evaluation promises, on real writing and the embedded model: it sees what is there, and what is not."""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from idiolect.evaluation import Evaluation, Thresholds, verdict
from idiolect.home import FULL, Home, Profile
from idiolect.memories.sample_person import write_sample_person
from idiolect.workflow.archive.runs import Finished
from idiolect.workflow.cycle import run_cycle
from idiolect.workflow.models.evaluating import evaluation_of
from idiolect.workflow.planning.plan import Asked
from tests.pepys import needs_pepys, write_pepys

pytestmark = [pytest.mark.long, needs_pepys]

FLAGS: dict[str, Any] = {
    "base_model": "embedded",
    "learning_rate": 2e-3,
    "num_train_epochs": 1,
    "gradient_accumulation_steps": 8,
}


@pytest.fixture(scope="module", autouse=True)
def both_cores() -> Iterator[None]:
    """Let the threads of a real model be as many as there are cores."""
    before = os.environ.pop("OMP_NUM_THREADS", None)
    yield
    if before:
        os.environ["OMP_NUM_THREADS"] = before


@pytest.fixture(scope="module")
def pepys(tmp_path_factory: pytest.TempPathFactory) -> tuple[Home, Finished]:
    """Pepys, and a run that learned from him, and made-up numbers with it: one training proves both."""
    home = Home(tmp_path_factory.mktemp("pepys"))
    write_pepys(home.profile("pepys"))
    return home, run(home, "pepys", 100, audit=True, num_train_epochs=2)


def run(home: Home, person: str, count: int, **flags: Any) -> Finished:
    return run_cycle(home, Asked(person, {}, {**FLAGS, **flags, "max_samples": count}), FULL, lambda _: None)


def with_other_memories(home: Home, person: str) -> Profile:
    """Return a profile that has Pepys' run before it, and nothing to remember."""
    profile = home.profile(person)
    shutil.copytree(home.profile("pepys").root, profile.root)
    for forgotten in (profile.memories, profile.prepared.parent):
        shutil.rmtree(forgotten)
    return profile


def judged(finished: Finished) -> Evaluation:
    return evaluation_of(finished.run)


def without_audit(evaluation: Evaluation) -> Evaluation:
    return msgspec.structs.replace(evaluation, trained=msgspec.structs.replace(evaluation.trained, canaries=()))


def test_a_run_that_learned_the_voice_is_seen_to_have(pepys: tuple[Home, Finished]) -> None:
    found = judged(pepys[1])
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
    assert verdict(without_audit(found), Thresholds()).publish


def test_a_number_told_twenty_times_is_found_and_one_never_told_is_not(pepys: tuple[Home, Finished]) -> None:
    evaluation = judged(pepys[1])
    found = {canary.planted: canary.found for canary in evaluation.trained.canaries}
    assert found[20]
    assert not found[0]
    assert "--audit" in verdict(evaluation, Thresholds()).reason


def test_a_run_on_shuffled_words_is_refused(pepys: tuple[Home, Finished]) -> None:
    def shuffled(text: str) -> str:
        words = text.split()
        random.Random(text).shuffle(words)
        return " ".join(words)

    home, _ = pepys
    write_pepys(with_other_memories(home, "shuffled"), shuffled)
    refused = verdict(judged(run(home, "shuffled", 64, gradient_accumulation_steps=4)), Thresholds())
    assert not refused.publish
    assert "worse at what" in refused.reason


def test_a_run_on_somebody_elses_memories_is_refused(pepys: tuple[Home, Finished]) -> None:
    home, _ = pepys
    stranger = with_other_memories(home, "stranger")
    shutil.copytree(write_sample_person(Home(home.root / "elsewhere")).memories, stranger.memories)
    refused = verdict(judged(run(home, "stranger", 64, gradient_accumulation_steps=4)), Thresholds())
    assert not refused.publish
    assert "worse at what" in refused.reason
