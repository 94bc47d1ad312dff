"""What the documents say is so: commands exist, drawn pages are drawn, files are there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from idiolect.cli import app
from idiolect.cli.options import options_page
from idiolect.config import CurationRules, Options
from idiolect.memories.metahuman import read_event

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = [README, *(p.read_text(encoding="utf-8") for p in sorted((ROOT / "docs").glob("*.md")))]
COMMANDS = sorted({c for page in PAGES for c in re.findall(r"^(idiolect [^#\n]+?)\s*(?:#.*)?$", page, re.MULTILINE)})
#: Commands that have commands.
GROUPS = {"dataset", "runs", "schedule"}


def test_the_options_page_is_drawn_from_the_code() -> None:
    assert (ROOT / "docs" / "options.md").read_text(encoding="utf-8") == options_page(), "run `make docs`"


def test_every_option_has_help() -> None:
    assert not [name for name, field in Options.model_fields.items() if not field.description]


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_of_the_documents_is_understood(command: str) -> None:
    _, verb, *rest = command.split()
    verbs = [verb, *rest[:1]] if verb in GROUPS and re.match(r"[a-z]", "".join(rest[:1])) else [verb]
    done = CliRunner().invoke(app, [*verbs, "--help"], env={"COLUMNS": "300"})
    assert done.exit_code == 0, done.output
    for flag in (word for word in rest if word.startswith("--")):
        assert flag in done.stdout


def test_the_readme_names_commands() -> None:
    assert len(COMMANDS) >= 3


def test_the_example_of_curation_json_is_valid() -> None:
    (example,) = re.findall(r"```json\n(.*?)```", (ROOT / "docs" / "data-set.md").read_text(), re.DOTALL)
    rules = CurationRules.model_validate_json(example)
    assert rules.modes["poem"] == "dual"


def test_the_example_of_rules_for_whose_words_they_are_is_valid() -> None:
    (example,) = re.findall(r"```json\n(.*?)```", (ROOT / "docs" / "metahuman.md").read_text(), re.DOTALL)
    rules = CurationRules.model_validate_json(example)
    assert rules.machine_written["abstract"] == ()
    assert rules.machine_written["photo"]
    assert rules.labels[1] == ("Visitor", "Ada")


def test_every_rule_is_in_the_page_for_those_who_come_from_metahuman_os() -> None:
    page = (ROOT / "docs" / "metahuman.md").read_text()
    assert [rule for rule in CurationRules().machine_written if f"*{rule}*" not in page] == []


def test_make_knows_the_targets_of_the_readme() -> None:
    makefile = (ROOT / "Makefile").read_text()
    for target in set(re.findall(r"(?:^|`)make (\w+)", README, re.MULTILINE)):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_the_readmes_memory_is_one() -> None:
    import json

    (example,) = re.findall(r"```json\n(.*?)```", README, re.DOTALL)
    assert len(read_event(json.loads(example), "x.json").turns) == 2


def test_every_room_is_on_the_map() -> None:
    rooms = {p.name for p in (ROOT / "src" / "idiolect").iterdir() if (p / "__init__.py").exists()}
    on_the_map = set(re.findall(r"^\| `(\w+)/`", README.partition("## The house")[2], re.MULTILINE))
    assert rooms - {"config"} == on_the_map
