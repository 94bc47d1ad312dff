"""A mistake costs seconds: each is found before training, and named with its remedy."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from idiolect.errors import BaseModelFault, EmptyProfile, IdiolectError, OptionFault, UnknownPerson
from idiolect.files import write_json
from idiolect.home import FULL, Home
from idiolect.workflow.planning.plan import Asked, Plan, plan, profile_of
from tests.conftest import Event, MakePerson


def planned(home: Home, person: str, base: Path | str, **flags: Any) -> Plan:
    return plan(home, Asked(person, {}, {"base_model": str(base), **flags}), FULL)


def refusal(home: Home, person: str, base: Path | str, kind: type[IdiolectError], **flags: Any) -> IdiolectError:
    with pytest.raises(kind) as fault:
        planned(home, person, base, **flags)
    assert fault.value.exit_code == 2
    assert not (home.root / "profiles" / person / "out").exists()
    return fault.value


def test_a_plan_decides_everything(home: Home, make_person: MakePerson, talks: list[Event], tiny_base: Path) -> None:
    decided = planned(home, make_person("ada", talks), tiny_base, quantization="Q8_0")
    assert decided.target.base.folder == tiny_base
    assert decided.run.quantization == "Q8_0"
    assert decided.data.systems["dual"] == "You are ada, thinking to yourself."
    assert decided.run.folder.parent.name == decided.run.label[:10]
    assert planned(home, "ada", tiny_base).run.quantization == "Q4_K_M"


def test_an_unknown_person_is_told_who_is_known(
    home: Home, make_person: MakePerson, talks: list[Event], tiny_base: Path
) -> None:
    assert "nobody yet" in refusal(home, "ada", tiny_base, UnknownPerson).remedy
    make_person("ada", talks)
    assert "Did you mean 'ada'?" in refusal(home, "adda", tiny_base, UnknownPerson).remedy
    refusal(home, "../ada", tiny_base, UnknownPerson)


def test_an_empty_profile_is_refused(home: Home, make_person: MakePerson, tiny_base: Path) -> None:
    (home.root / "profiles" / "ada").mkdir(parents=True)
    assert "ada has no memories" in refusal(home, "ada", tiny_base, EmptyProfile).problem


def test_a_person_of_whom_there_are_therapy_sessions_alone_is_none_without_memories(home: Home) -> None:
    write_json(home.profile("ada").therapy / "session-1.json", {"questions": []})
    assert profile_of(home, "ada").person == "ada"


@pytest.mark.parametrize("base", ["no-such-model", "no/such-model", "/nowhere"])
def test_an_unknown_base_model_is_refused(home: Home, make_person: MakePerson, talks: list[Event], base: str) -> None:
    assert base in refusal(home, make_person("ada", talks), base, BaseModelFault).problem


def test_an_architecture_that_cannot_be_exported_is_refused(
    home: Home, make_person: MakePerson, talks: list[Event], tiny_base: Path, tmp_path: Path
) -> None:
    base = tmp_path / "base"
    shutil.copytree(tiny_base, base)
    config: Mapping[str, Any] = json.loads((base / "config.json").read_text())
    (base / "config.json").write_text(json.dumps({**config, "architectures": ["MambaForCausalLM"]}))
    fault = refusal(home, make_person("ada", talks), base, BaseModelFault)
    assert "MambaForCausalLM" in str(fault)
    assert "LlamaForCausalLM" in str(fault)


def test_a_template_that_does_not_show_replies_is_refused(
    home: Home, make_person: MakePerson, talks: list[Event], tiny_base: Path, tmp_path: Path
) -> None:
    base = tmp_path / "base"
    shutil.copytree(tiny_base, base)
    (base / "chat_template.jinja").write_text(
        "{% for m in messages if m.role != 'assistant' %}{{ m.content }}{% endfor %}"
    )
    assert "a reply does not stand" in refusal(home, make_person("ada", talks), base, BaseModelFault).problem


def test_an_unknown_option_is_refused(home: Home, make_person: MakePerson, talks: list[Event], tiny_base: Path) -> None:
    make_person("ada", talks, lora_rnak=4)
    assert "lora_rank" in refusal(home, "ada", tiny_base, OptionFault).problem
