"""What is to be forgotten is found and taken out of all data; a model that is trained anew does not know it."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from idiolect.cli import app
from idiolect.curation import Fate
from idiolect.errors import UnknownPerson, UserFault
from idiolect.files import sha256, write_json, write_jsonl
from idiolect.home import FULL, Home
from idiolect.workflow.archive.registry import Registry, candidate, read_registry, write_registry
from idiolect.workflow.archive.runs import find_run, newest
from idiolect.workflow.cycle import run_cycle
from idiolect.workflow.data.dataset import make_dataset
from idiolect.workflow.models.evaluating import evaluation_of
from idiolect.workflow.models.forgetting import Wish, as_asked_for, find, proof, take_out
from idiolect.workflow.planning.plan import Asked
from tests.conftest import Event, MakePerson, MakeRun

TOLD = "Jonathan keeps the key under the third beehive and never told anybody but me about it in all those years."


@pytest.fixture
def person(home: Home, make_person: MakePerson, talks: list[Event], tiny_base: Path) -> str:
    person = make_person("ada", talks, base_model=str(tiny_base), num_train_epochs=8, learning_rate=1e-2)
    secret = {"id": "evt-secret", "timestamp": "2025-01-01T08:00:00Z", "type": "conversation", "content": "Where?"}
    write_json(home.profile(person).memories / "2025" / "secret.json", {**secret, "response": TOLD})
    return person


def names(home: Home, person: str, wish: Wish) -> list[str]:
    return sorted(find(home, person, wish).files)


def test_memories_are_found_by_name_by_id_by_who_is_in_them_and_by_day(home: Home, person: str) -> None:
    secret = ["2025/secret.json"]
    assert names(home, person, Wish(memory="2025/secret.json")) == secret
    assert names(home, person, Wish(memory="evt-secret")) == secret
    assert names(home, person, Wish(person="jonathan")) == secret
    assert names(home, person, Wish(before=datetime(2026, 1, 1, tzinfo=UTC))) == secret
    assert len(names(home, person, Wish(before=datetime(2026, 1, 3, tzinfo=UTC)))) == 3
    for nothing, told in (
        (Wish(memory="secret"), "ada has no such memory"),
        (Wish(person="Jon"), "No memory of ada names 'Jon'"),
        (Wish(before=datetime(2024, 1, 1, tzinfo=UTC)), "ada has no memory from before 2024-01-01"),
    ):
        with pytest.raises(UserFault, match=told):
            find(home, person, nothing)
    with pytest.raises(UnknownPerson):
        find(home, "nobody", Wish(person="Jonathan"))


def test_a_model_that_went_on_from_one_that_knows_is_named_and_trained_anew_from_its_base(
    home: Home, person: str, make_run: MakeRun, tiny_base: Path
) -> None:
    knows = make_run("2026-01-01")
    heir = make_run("2026-02-01", base_model=f"run:{knows.label}")
    make_run("2026-03-01")
    write_jsonl(knows.ledger, [Fate(memory="2025/secret.json", fate="train", sample="a")])
    profile = home.profile(person)
    write_registry(profile, Registry(published=candidate(profile, heir, {}, "", None)))
    found = find(home, person, Wish(person="Jonathan"))
    assert [run.label for run in found.models] == [knows.label, heir.label]
    asked, _ = as_asked_for(profile, find_run(home, heir.label, person))
    assert asked.flags["base_model"] == str(tiny_base)
    words = ["forget", "-u", person, "--home", str(home.root), "--person", "Jonathan"]
    listed = CliRunner().invoke(app, words).output
    assert f"run {knows.label}: learned from 1\n" in listed
    assert f"run {heir.label}, published: went on from a model that learned from some\n" in listed
    write_json(profile.heard, {})
    done = CliRunner().invoke(app, [*words, "--yes"]).output
    assert [f"This model still knows them: {run.gguf}" in done for run in (knows, heir)] == [True, True]
    # The published one knows more, and may be the better one by the gate.
    assert f"idiolect full-cycle --username {person} --publish always" in done
    assert not profile.heard.exists()


def test_a_data_set_forgets_and_says_nothing_more_of_it(home: Home, person: str) -> None:
    made, _ = make_dataset(home, Asked(person, {}, {}), lambda *_: None)
    files = (made.curated, made.formatted, made.schema_applied, made.dataset)
    assert all("Jonathan" in f.read_text() for f in files)
    words = ["forget", "-u", person, "--home", str(home.root), "--person", "Jonathan"]
    listed = CliRunner().invoke(app, words)
    assert "2025/secret.json" in listed.output
    assert "the data set that was made without a run: learned from 1" in listed.output
    assert "Nothing was changed" in listed.output
    assert all("Jonathan" in f.read_text() for f in files)
    done = CliRunner().invoke(app, [*words, "--yes"])
    assert "1 memory is gone" in done.output
    left = [f for f in home.root.rglob("*") if f.is_file() and (b"Jonathan" in (c := f.read_bytes()) or b"secret" in c)]
    assert left == []
    assert made.dataset.read_text().count("\n") == 40
    assert CliRunner().invoke(app, words[:-2]).exit_code == 2


@pytest.mark.slow
def test_forget_retrain_trains_anew_publishes_and_shows_what_is_still_known(home: Home, person: str) -> None:
    first = run_cycle(home, Asked(person, {}, {"dtype": "float32", "publish": "always"}), FULL, lambda _: None)
    words = ["forget", "-u", person, "--home", str(home.root), "--memory", "evt-secret", "--yes", "--retrain"]
    done = CliRunner().invoke(app, words, env={"COLUMNS": "160"})
    assert done.exit_code == 0, done.output
    second = newest(home, person)
    assert second.run.label != first.run.label
    assert second.summary.options["dtype"]["value"] == "float32"
    assert second.summary.memories["train"] == first.summary.memories["train"] - 1
    published = read_registry(home.profile(person)).published
    assert published
    assert published.label == second.run.label
    told = re.findall(r"^(base|before|after) +([\d.]+) nats a token of theirs", done.output, re.MULTILINE)
    losses = {name: float(value) for name, value in told}
    # As far from it as a model is that never learned it: the base knows it no better, or hardly.
    assert losses["before"] < losses["after"] - 0.3
    assert losses["after"] > losses["base"] - 0.3
    assert f"  {first.run.folder}" in done.output
    assert "Jonathan" not in second.run.dataset.read_text()


@pytest.mark.slow
def test_a_model_that_is_trained_anew_does_not_know_it(home: Home, person: str) -> None:
    first = run_cycle(home, Asked(person, {}, {"dtype": "float32"}), FULL, lambda _: None)
    found = find(home, person, Wish(memory="evt-secret"))
    assert [(h.run.label, h.fates) for h in found.runs] == [(first.run.label, {"train": 1})]
    assert found.models == [first.run]
    texts = take_out(home, person, found)[first.run.label]
    assert "Jonathan" in texts[0].text
    run = first.run
    assert not [f for f in run.folder.iterdir() if f.is_file() and b"Jonathan" in f.read_bytes()]
    evaluation_of(run)
    assert newest(home, person).summary.files["ledger.jsonl"]["sha256"] == sha256(run.ledger)

    second = run_cycle(home, Asked(person, {}, {"dtype": "float32"}), FULL, lambda _: None)
    known = proof(home, person, texts, first.run.label, second.run.label)
    losses = {name: k.loss.value for name, k in known.items()}
    assert losses["before"] < losses["after"] - 0.3 < losses["base"]
