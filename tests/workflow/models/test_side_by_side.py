"""Base, previous and new model answer the same, in pieces, until they are stopped."""

from __future__ import annotations

from pathlib import Path

import pytest

from idiolect.curation import Message
from idiolect.errors import UserFault
from idiolect.home import Home
from idiolect.serving import Sampling
from idiolect.workflow.models.side_by_side import Bench, answers, contestants
from tests.conftest import MakePerson, MakeRun

ASKED = [Message("user", "Hello?")]
SHORT = Sampling(max_tokens=6)


def test_who_is_there_answers_in_pieces_and_can_be_stopped(
    home: Home, make_run: MakeRun, make_person: MakePerson
) -> None:
    make_person("ada", [{"content": "Rain."}])
    with pytest.raises(UserFault):
        contestants(home, "ada")
    first = make_run("2026-01-01")
    assert contestants(home, "ada").absent == {"previous": "There is no model before it."}
    second = make_run("2026-02-01")
    there = contestants(home, "ada").there
    assert [(c.name, c.label) for c in there[1:]] == [("previous", first.label), ("new", second.label)]
    assert there[0].name == "base"
    assert there[2].heard(ASKED, "dual")[0].content == "You are ada, dual."
    heard: dict[str, str] = {"base": "", "previous": "", "new": ""}

    def hear(name: str, piece: str) -> None:
        heard[name] += piece

    bench = Bench(memory=1)
    asked = {c.name: (c.gguf, c.heard(ASKED, "emulation")) for c in there}
    said = answers(bench, asked, hear, sampling=SHORT)
    assert {name: r.text for name, r in said.items()} == {name: text.strip() for name, text in heard.items()}
    assert all(r.tokens for r in said.values())
    assert list(bench.models) == [second.gguf]
    heard = dict.fromkeys(heard, "")
    said = answers(bench, asked, hear, lambda: bool(heard["base"]), SHORT)
    assert list(said) == ["base"]
    assert said["base"].tokens < SHORT.max_tokens
    assert heard["new"] == ""


def test_a_base_model_that_is_gone_is_said(home: Home, make_run: MakeRun, make_person: MakePerson) -> None:
    make_person("ada", [{"content": "Rain."}])
    make_run("2026-01-01", base_model="/nowhere/to/be/found")
    found = contestants(home, "ada")
    assert [c.name for c in found.there] == ["new"]
    assert "nowhere" in found.absent["base"]
    assert isinstance(found.there[0].gguf, Path)
