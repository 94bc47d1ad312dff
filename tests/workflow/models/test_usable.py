"""A model file that is whole and compared with training can be talked to and published, whatever ended its run."""

from __future__ import annotations

import dataclasses
import errno
import os
from pathlib import Path
from typing import Any

import pytest

from idiolect.errors import IdiolectError, NoRoom, UserFault
from idiolect.home import FULL, Home
from idiolect.training import Note
from idiolect.workflow.archive.cleanup import clean_up
from idiolect.workflow.archive.registry import read_registry, voice
from idiolect.workflow.archive.runs import find_run, overview, unfinished
from idiolect.workflow.cycle import STEPS, Step, carry_out, new_journal, resume
from idiolect.workflow.models.export import Another, export_again
from idiolect.workflow.models.publish import promote
from idiolect.workflow.planning.plan import Asked, Plan, plan
from tests.conftest import Event, MakePerson

QUICK: dict[str, Any] = {"num_train_epochs": 1, "learning_rate": 1e-2, "warmup_steps": 0, "dtype": "float32"}

ENDS = [
    KeyboardInterrupt(),
    OSError(errno.ENOSPC, "No space left on device", "x"),
    OSError(5, "I/O error"),
    ValueError(),
]


def ending(step: str, error: BaseException) -> dict[str, Step]:
    """Return the steps of a cycle, one of which ends in an error."""

    def end(*_: object) -> str:
        raise error

    return {**STEPS, step: dataclasses.replace(STEPS[step], run=end)}


@pytest.fixture
def decided(home: Home, make_person: MakePerson, talks: list[Event], tiny_base: Path) -> tuple[Plan, Asked]:
    asked = Asked(make_person("ada", talks), {}, {"base_model": str(tiny_base), **QUICK})
    return plan(home, asked, FULL), asked


@pytest.mark.slow
@pytest.mark.parametrize("error", ENDS, ids=lambda e: f"{type(e).__name__} {getattr(e, 'errno', '')}")
def test_whatever_ends_an_evaluation(home: Home, decided: tuple[Plan, Asked], error: BaseException) -> None:
    made, asked = decided
    label = made.run.label
    with pytest.raises((type(error), IdiolectError)) as raised:
        carry_out(made, new_journal(made, asked), lambda _: None, ending("evaluate", error))
    if isinstance(raised.value, NoRoom):
        assert f"idiolect chat --run {label} --username ada" in raised.value.remedy
    assert overview(home)[0].state == "interrupted"
    found = find_run(home, label, "ada")
    assert found.summary.usable
    assert voice(home, "ada", label).system_messages["dual"] == "You are ada, thinking to yourself."
    assert clean_up(home.profile("ada"), keep=1) == []
    again = export_again(home, Another("ada", label, "Q8_0"), lambda _: None)
    assert again.exists()
    again.unlink()
    assert promote(home, "ada", label).startswith("published")
    published = read_registry(home.profile("ada")).published
    assert published
    assert published.label == label
    finished = resume(home, "ada", label, lambda _: None)
    assert finished.summary.state == "succeeded"
    assert not finished.run.usable.exists()
    assert "usable.json" not in finished.summary.files


@pytest.mark.slow
def test_a_model_file_that_was_not_compared_is_not_offered(home: Home, decided: tuple[Plan, Asked]) -> None:
    made, asked = decided
    with pytest.raises(KeyboardInterrupt):
        carry_out(made, new_journal(made, asked), lambda _: None, ending("parity", KeyboardInterrupt()))
    assert made.run.gguf.exists()
    with pytest.raises(UserFault, match="has left a model file"):
        find_run(home, made.run.label, "ada")
    # Made again, it is to be compared again.
    with pytest.raises(KeyboardInterrupt):
        carry_out(made, new_journal(made, asked), lambda _: None, ending("evaluate", KeyboardInterrupt()))
    assert made.run.usable.exists()
    os.truncate(made.run.gguf, 100)
    again = ending("parity", KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        carry_out(made, new_journal(made, asked), lambda _: None, again)
    assert not made.run.usable.exists()
    assert unfinished(home, "ada", None).label == made.run.label


@pytest.mark.slow
def test_an_adapter_is_gone_on_from_after_clean_up(home: Home, decided: tuple[Plan, Asked], tiny_base: Path) -> None:
    made, asked = decided
    first = carry_out(made, new_journal(made, asked), lambda _: None)
    assert not first.run.model.exists()
    first.run.gguf.unlink()  # as clean-up does of an older run
    told: list[Any] = []
    flags = {**asked.flags, "base_model": f"run:{first.run.label}"}
    second = plan(home, Asked("ada", {}, flags), FULL, say=told.append)
    assert [str(text) for text in told] == [
        f"Merging the adapter of {first.run.label} with {tiny_base}, to go on from both."
    ]
    assert first.run.model.is_dir()
    assert second.target.base.folder == first.run.model
    # While it may be waited for it stays.
    assert clean_up(home.profile("ada")) == []
    notes: list[Any] = []
    finished = carry_out(second, new_journal(second, Asked("ada", {}, flags)), notes.append)
    assert finished.summary.training
    assert first.summary.training
    assert finished.summary.training.loss_before == pytest.approx(first.summary.training.loss_after, abs=1e-4)
    assert not first.run.model.exists()
    assert any(isinstance(n, Note) and "merged for a run that has ended" in n.text for n in notes)
