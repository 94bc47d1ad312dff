"""A system prompt that MetaHuman OS was shipped with is not put into the mouth of somebody else."""

from __future__ import annotations

from typing import Any

import pytest

from idiolect.files import write_json
from idiolect.home import Home
from idiolect.workflow.planning.plan import Asked, Data, plan_data
from tests.checkout import write_profile

SHIPPED = "You are MetaHuman Greg, a helpful assistant."
EXTENSION = "You are Greg's digital personality extension. Speak naturally in first person as Greg."


@pytest.fixture
def marit(home: Home) -> Home:
    write_profile(home.profile("marit"), "marit", 1)
    write_profile(home.profile("bea"), "bea lund", 1)
    return home


def decided(home: Home, prompt: str, person: str = "marit", flags: dict[str, Any] | None = None) -> Data:
    write_json(home.training_json, {"system_prompt": prompt})
    return plan_data(home, Asked(person, {}, flags or {}))


@pytest.mark.parametrize("prompt", [SHIPPED, f" {SHIPPED[:-1]}\n", EXTENSION, "You are Bea, and kind.", "You are bea"])
def test_what_speaks_of_somebody_else_is_not_used_and_that_is_said(marit: Home, prompt: str) -> None:
    data = decided(marit, prompt)
    assert len(set(data.systems.values())) == 3
    assert data.systems["dual"] == "You are Marit, thinking to yourself."
    assert data.options.system_prompt == ""
    said = data.settings.notes[-1]
    assert "system_prompt not used" in said
    assert "etc/training.json" in said


@pytest.mark.parametrize(
    "prompt",
    [
        "You are MetaHuman Marit, a helpful assistant.",
        "You are {name}'s digital personality extension. Speak naturally in first person as {name}.",
        "You are Marit Hansen, a teacher.",
        "You are Poetry in motion.",
        "Greg is your friend.",
        "Du bist Bea.",
    ],
)
def test_a_prompt_of_their_own_is_used_and_it_is_said_that_it_makes_the_modes_alike(marit: Home, prompt: str) -> None:
    data = decided(marit, prompt)
    assert set(data.systems.values()) == {prompt.replace("{name}", "Marit")}
    said = data.settings.notes[-1]
    assert "stands for all three modes" in said


def test_what_stands_in_their_own_file_or_is_typed_is_theirs(marit: Home) -> None:
    write_json(marit.profile("marit").training_json, {"system_prompt": "You are Bea, whom I play."})
    assert set(decided(marit, SHIPPED).systems.values()) == {"You are Bea, whom I play."}
    typed = decided(marit, "", flags={"system_prompt": SHIPPED})
    assert set(typed.systems.values()) == {SHIPPED}
    # Edited elsewhere, a copy of the shipped file still has the shipped prompt.
    write_json(marit.profile("marit").training_json, {"system_prompt": SHIPPED, "lora_rank": 32})
    assert len(set(decided(marit, "").systems.values())) == 3


def test_greg_is_greg(home: Home) -> None:
    write_profile(home.profile("greggles"), "greg", 1)
    assert set(decided(home, SHIPPED, "greggles").systems.values()) == {SHIPPED}
