"""Base, previous and new model answer the same, in pieces, until they are stopped."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from idiolect.curation import Message
from idiolect.errors import DataFault, IdiolectError, UserFault
from idiolect.home import Home
from idiolect.serving import Sampling, Shelf
from idiolect.workflow.models.side_by_side import Answer, Question, answers, contestants
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

    shelf = Shelf(most=1)
    asked = {c.name: Question(c.gguf, c.context, c.heard(ASKED, "emulation")) for c in there}
    said = only_answers(answers(shelf, asked, hear, sampling=SHORT))
    assert {name: a.reply.text for name, a in said.items()} == {name: text.strip() for name, text in heard.items()}
    assert all(a.reply.tokens for a in said.values())
    assert [known[0] for known in shelf.loaded] == [second.gguf]
    heard = dict.fromkeys(heard, "")
    said = only_answers(answers(shelf, asked, hear, lambda: bool(heard["base"]), SHORT))
    assert list(said) == ["base"]
    assert said["base"].reply.tokens < SHORT.max_tokens
    assert said["base"].reply.finish_reason == "stopped"
    assert heard["new"] == ""


def only_answers(said: Mapping[str, Answer | IdiolectError]) -> dict[str, Answer]:
    assert all(isinstance(one, Answer) for one in said.values())
    return {name: one for name, one in said.items() if isinstance(one, Answer)}


def test_one_that_cannot_be_asked_does_not_silence_the_others(home: Home, make_run: MakeRun) -> None:
    """What is too long for one is said in its place; a conversation that grew too long loses its first turns."""
    run = make_run("2026-01-01", context=256)
    grown = [m for n in range(9) for m in (Message("user", f"Question {n}?"), Message("assistant", f"Answer {n}."))]
    asked = {
        "too long": Question(run.gguf, 256, [Message("user", "word " * 400)]),
        "gone": Question(run.gguf.with_name("gone.gguf"), 256, ASKED),
        "grown": Question(run.gguf, 256, [*grown, *ASKED]),
    }
    said = answers(Shelf(), asked, lambda *_: None, sampling=SHORT)
    assert isinstance(said["too long"], UserFault)
    assert "the model holds 256" in said["too long"].problem
    assert isinstance(said["gone"], DataFault)
    assert isinstance(said["grown"], Answer)
    assert 0 < said["grown"].dropped < 9
    assert said["grown"].reply.tokens


def test_a_base_model_that_is_gone_is_said(home: Home, make_run: MakeRun, make_person: MakePerson) -> None:
    make_person("ada", [{"content": "Rain."}])
    make_run("2026-01-01", base_model="/nowhere/to/be/found")
    found = contestants(home, "ada")
    assert [c.name for c in found.there] == ["new"]
    assert "nowhere" in found.absent["base"]
    assert isinstance(found.there[0].gguf, Path)
