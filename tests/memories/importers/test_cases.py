"""Exports as they really look: each case through the real command, against what is right.

cases/<case>…        an export of our own wording, made after a public bug report or an exporter's source
cases/chats.json     for each: how it is imported, and what is right of what comes of it
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from idiolect.cli import app
from idiolect.home import Home
from idiolect.memories.importers import SOURCES

CASES = Path(__file__).parent / "cases"
RIGHT: dict[str, dict[str, Any]] = json.loads((CASES / "chats.json").read_text(encoding="utf-8"))


def placed(case: str, folder: Path) -> Path:
    """Lay the files of a case down as they would be called; return what is imported."""
    right = RIGHT[case]
    source = CASES / right["path"]
    target = folder / str(right.get("called", right["path"]))
    if source.is_dir():
        shutil.copytree(source, target)
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, target)
    return target


def turns(home: Home) -> tuple[list[str], list[str], list[str | None]]:
    """Return what is learned, what is context, and when each memory is from."""
    own, context, when = [], [], []
    for file in sorted(home.profile("u").memories.rglob("evt-*.json")):
        event = json.loads(file.read_text(encoding="utf-8"))
        said = event.get("messages")
        if said is None and "response" in event:
            said = [{"role": "user", "content": event["content"]}, {"role": "assistant", "content": event["response"]}]
        said = said or [{"role": "assistant", "content": event["content"]}]
        own += [turn["content"] for turn in said if turn["role"] == "assistant"]
        context += [turn["content"] for turn in said if turn["role"] == "user"]
        when.append(event["timestamp"])
    return own, context, when


@pytest.mark.parametrize("case", RIGHT)
def test_a_case_comes_in_right(case: str, home: Home, tmp_path: Path) -> None:
    right = RIGHT[case]
    export = placed(case, tmp_path / "export")
    me = ["--me", right["me"]] if "me" in right else []
    place = ["--username", "u", "--home", str(home.root), "--timezone", "UTC"]
    done = CliRunner().invoke(app, ["import", right["source"], str(export), *place, *me])
    own, context, when = turns(home)
    if "refused" in right:
        assert right["refused"] in str(done.exception)
    if "own" in right:
        assert own == right["own"], (done.output, done.exception)
    if "ctx" in right:
        assert context == right["ctx"]
    if "when" in right:
        assert when == right["when"]
    if "messages" in right:
        assert f"{right['messages']} messages" in done.output
    for words in right.get("own_has", ()):
        assert words in "\n".join(own).split("\n")
    for words in right.get("own_without", ()):
        assert words not in "\n".join(own)
    for words in right.get("ctx_without", ()):
        assert words not in "\n".join(context)
    for rule, count in right.get("rules", {}).items():
        assert f"{count}  {rule}" in done.output


@pytest.mark.parametrize("case", RIGHT)
def test_it_is_said_what_a_case_is(case: str, tmp_path: Path) -> None:
    export = placed(case, tmp_path)
    done = CliRunner().invoke(app, ["import", "--detect", str(export)])
    assert SOURCES[RIGHT[case]["source"]].title in f"{done.output} {done.exception}"
