"""The data set from the command line: whole, and step by step from file to file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from idiolect.home import Home
from tests.cli.test_commands import idiolect
from tests.cli.test_published_commands import typed
from tests.conftest import Event, MakePerson


@pytest.fixture
def person(make_person: MakePerson, talks: list[Event], tiny_base: Path) -> str:
    events = [*talks, {"type": "journal", "content": "Write to ada@example.org for the key."}]
    return make_person("ada", events, base_model=str(tiny_base))


def test_a_data_set_is_made_and_shown_without_training(home: Home, person: str) -> None:
    place = ("--username", person, "--home", str(home.root))
    done = idiolect("dataset", *place, "--private-check", "--max", "30")
    assert done.returncode == 0, done.stderr
    for shown in ("30 samples of 41 memories", "mode agent", "dropped: not selected", "1 [email]"):
        assert shown in done.stdout
    assert "ada@example.org" not in done.stdout
    made = home.profile(person).dataset()
    assert {p.name for p in made.folder.iterdir()} == {
        "curated_memories.json",
        "formatted_samples.json",
        "schema_applied.json",
        "dataset.jsonl",
        "ledger.jsonl",
        "quality.json",
        "report.html",
    }
    lines = [json.loads(line) for line in made.dataset.read_text().splitlines()]
    fates = [json.loads(line)["fate"] for line in made.ledger.read_text().splitlines()]
    assert len(fates) == 41
    assert len(lines) == 30 == len(fates) - fates.count("dropped")
    assert fates.count("held_out") == sum(line["split"] == "held_out" for line in lines) > 0
    shown = idiolect("dataset", "show", "1", *place).stdout
    assert lines[0]["text"].strip() in shown
    beyond = idiolect("dataset", "show", "31", *place)
    assert beyond.returncode == 2
    assert "It has 30" in beyond.stderr


def test_each_step_alone_does_what_all_do_together(home: Home, person: str, tmp_path: Path) -> None:
    place = ("--username", person, "--home", str(home.root))
    files = [
        tmp_path / name
        for name in ("curated_memories.json", "formatted_samples.json", "schema_applied.json", "dataset.jsonl")
    ]
    curated = idiolect("curate", *place, "--output", str(files[0]), "--private-check")
    assert curated.returncode == 0, curated.stderr
    assert "1 [email]" in curated.stdout
    for step, source, target in zip(("format", "apply-schema", "export-dataset"), files, files[1:], strict=False):
        done = idiolect(step, *place, "--input", str(source), "--output", str(target))
        assert done.returncode == 0, done.stderr
    assert "samples to train on" in idiolect("validate-dataset", "--input", str(files[3])).stdout
    assert idiolect("dataset", *place).returncode == 0
    together = home.profile(person).dataset()
    for file in files:
        assert file.read_bytes() == (together.folder / file.name).read_bytes()
    assert (tmp_path / "ledger.jsonl").read_bytes() == together.ledger.read_bytes()


def test_bad_files_are_refused_by_name_and_line(tmp_path: Path) -> None:
    data = tmp_path / "data.jsonl"
    data.write_text('{"id": 5}\nnot json\n')
    done = idiolect("validate-dataset", "--input", str(data))
    assert done.returncode == 2
    assert "data.jsonl has malformed records: line 1:" in done.stderr
    assert "line 2:" in done.stderr
    assert "SKIPPED" in idiolect("validate-dataset", "--input", str(data), "--skip-validation").stdout
    assert idiolect("dataset").returncode == 2


def test_a_data_set_is_edited_by_hand_from_the_command_line(home: Home, person: str) -> None:
    def said(*words: str, code: int = 0) -> str:
        return typed(home, "dataset", *words, "--username", person, code=code)

    assert "Nothing of ada" in said("edits")
    assert "1  asked: What of number 3?" in said("edit", "2026/003.json")
    assert "2026/003.json: dropped" in said("drop", "2026/003.json")
    said("edit", "2026/004.json", "--turn", "2", "--text", "Said [by] hand.")
    said("mode", "2026/005.json", "dual")
    said("mask", "2026/006.json", "number 6")
    listed = said("edits")
    assert "2026/004.json: turn 2: 'Said [by] hand.'" in listed
    assert "2026/006.json: masked: 'number 6'" in listed
    made = said()
    assert "40 samples of 41 memories" in made
    assert "4 edited by hand" in made
    assert "from 2026/040.json" in said("show", "1")
    assert "not dropped by hand any more" in said("restore", "2026/003.json")
    assert "kept, whatever rule judges it" in said("restore", "2026/003.json")
    assert "undone: 2026/004.json" in said("undo", listed.splitlines()[1].split()[0])
    assert "has no memory" in said("drop", "2026/999.json", code=2)
    said("edit", "2026/003.json", "--turn", "1", code=2)
