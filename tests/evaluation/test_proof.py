"""What evaluation refuses, on real writing and the embedded model; what it sees is in tests/workflow/test_pepys.py."""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Iterator
from typing import Any

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
def pepys(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home folder with Pepys, and a run that learned from him."""
    home = Home(tmp_path_factory.mktemp("pepys"))
    write_pepys(home.profile("pepys"))
    run(home, "pepys", 100)
    return home


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


def test_a_run_on_shuffled_words_is_refused(pepys: Home) -> None:
    def shuffled(text: str) -> str:
        words = text.split()
        random.Random(text).shuffle(words)
        return " ".join(words)

    write_pepys(with_other_memories(pepys, "shuffled"), shuffled)
    refused = verdict(judged(run(pepys, "shuffled", 64, gradient_accumulation_steps=4)), Thresholds())
    assert not refused.publish
    assert "worse at what" in refused.reason


def test_a_run_on_somebody_elses_memories_is_refused(pepys: Home) -> None:
    stranger = with_other_memories(pepys, "stranger")
    shutil.copytree(write_sample_person(Home(pepys.root / "elsewhere")).memories, stranger.memories)
    refused = verdict(judged(run(pepys, "stranger", 64, gradient_accumulation_steps=4)), Thresholds())
    assert not refused.publish
    assert "worse at what" in refused.reason
