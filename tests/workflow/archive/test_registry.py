"""What is published, as the registry says it and as it was said before."""

from __future__ import annotations

import json

import pytest

from idiolect.errors import UserFault
from idiolect.files import write_json
from idiolect.home import Home
from idiolect.workflow.archive.registry import candidate, offered, voice, with_published, write_registry
from idiolect.workflow.archive.registry import read_registry as registry_of
from tests.conftest import MakeRun


def test_a_model_published_before_contexts_were_noted_holds_what_its_run_does(home: Home, make_run: MakeRun) -> None:
    run, profile = make_run("2026-01-01", context=512), home.profile("ada")
    model = candidate(profile, run, {"emulation": "You are Ada."}, "<|im_end|>", None)
    write_registry(profile, with_published(registry_of(profile), model))
    assert "context" not in json.loads(profile.registry.read_text())["published"]
    assert voice(home, "ada").context == 512
    assert {model.context for model in offered(home, []).values()} == {512}
    run.summary.write_text("{")
    assert voice(home, "ada").context == 2048


def test_one_damaged_registry_keeps_nobody_else_from_being_served(home: Home, make_run: MakeRun) -> None:
    run, profile = make_run("2026-01-01"), home.profile("ada")
    other = home.profile("bea").registry
    other.parent.mkdir(parents=True)
    other.write_text("{")
    with pytest.raises(UserFault, match="cannot be read"):
        offered(home, [])
    write_registry(profile, with_published(registry_of(profile), candidate(profile, run, {}, "<|im_end|>", None)))
    assert {name.partition(":")[0] for name in offered(home, [])} == {"ada"}
    with pytest.raises(UserFault, match="cannot be read"):
        offered(home, ["ada", "bea"])


def test_a_mode_without_a_system_message_is_offered_without_one(home: Home, make_run: MakeRun) -> None:
    run, profile = make_run("2026-01-01"), home.profile("ada")
    model = candidate(profile, run, {}, "<|im_end|>", None)
    write_json(profile.registry, with_published(registry_of(profile), model))
    assert {model.system for model in offered(home, ["ada"]).values()} == {""}
