"""Users of a MetaHuman OS checkout who keep their profile elsewhere, and a checkout from before there were users."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from idiolect.errors import UnknownPerson, UserFault
from idiolect.files import write_json, write_text
from idiolect.home import FULL, Home
from idiolect.memories import read_memories
from idiolect.workflow.archive.runs import known, overview
from idiolect.workflow.planning.plan import Asked, known_person, plan_data
from tests.checkout import write_memories, write_profile, write_users


def test_a_profile_is_where_users_json_says(home: Home, tmp_path: Path) -> None:
    place = tmp_path / "a disk of its own" / "marit"
    write_users(home, {"marit": {"path": str(place), "type": "external"}, "greg": None})
    write_profile(home.profile("greg"), "greg")
    place.mkdir(parents=True)
    write_profile(home.profile("marit"), "marit", 3)
    assert home.people() == ["greg", "marit"]
    profile = known_person(home, "marit")
    assert (profile.root, profile.home) == (place, home)
    assert len(list(read_memories(profile))) == 3
    assert profile.run(FULL, "2026-01-01-000000-abcdef").folder.is_relative_to(place / "out" / "adapters")
    write_json(profile.training_json, {"seed": 5})
    data = plan_data(home, Asked("marit", {}, {}))
    assert data.options.seed == 5
    assert data.settings.origins["seed"] == str(profile.training_json)


@pytest.mark.parametrize("path", ["{tmp}/unplugged", "relative/place", "{tmp}/file"])
@pytest.mark.parametrize("fallback", [None, "error", "readonly"])
def test_a_place_that_is_not_there_is_said_and_nothing_is_written_elsewhere(
    home: Home, tmp_path: Path, path: str, fallback: str | None
) -> None:
    write_text(tmp_path / "file", "")
    storage = {"path": path.format(tmp=tmp_path), **({"fallbackBehavior": fallback} if fallback else {})}
    write_profile(home.profile("greg"), "greg", 1)
    write_profile(home.profile("marit"), "marit", 1)  # what a change of place has left behind
    write_users(home, {"greg": None, "marit": storage})
    if fallback == "readonly":
        assert home.people() == ["greg", "marit"]
        assert known(home, "marit").root == home.root / "profiles" / "marit"
        return
    assert home.people() == ["greg"]
    assert overview(home) == []
    for ask in (known, known_person):
        with pytest.raises(UserFault, match=r"marit is kept in .*users\.json"):
            ask(home, "marit")


def test_a_checkout_without_users_is_one_persons(home: Home) -> None:
    write_memories(home.root / "memory" / "episodic", 3)
    write_json(home.root / "persona" / "core.json", {"identity": {"name": "Marit"}})
    write_text(home.root / "etc" / "default-user.txt", "greggles\n")
    write_json(home.training_json, {"seed": 5, "fp16": True})
    assert home.people() == ["marit"]
    for name in ("marit", "Marit", "greggles"):
        profile = known_person(home, name)
        assert profile.root == home.root
        assert len(list(read_memories(profile))) == 3
    data = plan_data(home, Asked("marit", {}, {}))
    assert data.systems["emulation"] == "You are Marit, talking."
    assert data.settings.origins["seed"] == "etc/training.json"
    assert len(data.settings.notes) == 1
    assert data.profile.run(FULL, "2026-01-01-000000-abcdef").folder.is_relative_to(home.root / "out" / "adapters")
    with pytest.raises(UnknownPerson):
        known_person(home, "bea")
    write_users(home, {"mh": None})
    assert home.people() == ["mh"]


def test_memories_in_the_root_of_a_checkout_with_users_are_nobodys(home: Home) -> None:
    write_memories(home.root / "memory" / "episodic", 3)
    write_profile(home.profile("marit"), "marit", 1)
    assert home.people() == ["marit"]
    assert home.profile("greg").root == home.root / "profiles" / "greg"


@pytest.mark.parametrize("text", ["{", "[]", '{"users": {}}', "\udcff", "[" * 100_000])
def test_a_damaged_list_of_users_is_named(home: Home, text: str) -> None:
    write_profile(home.profile("marit"), "marit", 1)
    path = home.root / "persona" / "users.json"
    path.parent.mkdir()
    path.write_bytes(os.fsencode(text))
    with pytest.raises(UserFault, match=r"users\.json"):
        known_person(home, "marit")


def test_users_without_a_place_or_a_name_are_passed_over(home: Home) -> None:
    write_profile(home.profile("marit"), "marit", 1)
    users = [None, {}, {"username": 5}, {"username": "marit", "metadata": {"profileStorage": {"path": ""}}}]
    write_json(home.root / "persona" / "users.json", {"users": users})
    assert home.people() == ["marit"]
    assert known(home, "marit").root == home.root / "profiles" / "marit"
