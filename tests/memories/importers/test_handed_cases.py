"""Exports as real programs write them, each through the command as it is typed, against what is right of it.

cases/<name>             the export; cases/<name>.right.txt beside it says:
RIGHT: … Expected: …     own and ctx (all words of the person, and of others), when, n (messages), rules, refused
RUN: …                   the command, from within cases/, with this computer's clock standing in UTC
"""

from __future__ import annotations

import ast
import re
import shlex
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from typer.testing import CliRunner

from idiolect.cli import app
from idiolect.memories import read_event
from idiolect.memories.importers import SOURCES

CASES = Path(__file__).parent / "cases"
_EXPECTED = re.compile(r"^RIGHT: .*? Expected: (.+)$", re.MULTILINE)
_RUN = re.compile(r"^RUN: idiolect (.+?)\s+\(TZ=UTC\)$", re.MULTILINE)
_CLAUSE = re.compile(r"(own|ctx|context|when|n|rules)( has | without |=)(.+)")


@pytest.fixture(autouse=True)
def in_utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize("right", sorted(CASES.glob("*.right.txt")), ids=lambda p: p.name.removesuffix(".right.txt"))
def test_a_handed_case(right: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = right.read_text(encoding="utf-8")
    expected, command = _EXPECTED.search(text), _RUN.search(text)
    assert expected
    assert command
    monkeypatch.chdir(CASES)
    check(expected[1], shlex.split(command[1]), tmp_path)


@pytest.mark.parametrize("right", sorted(CASES.glob("*.right.txt")), ids=lambda p: p.name.removesuffix(".right.txt"))
def test_it_is_said_what_it_is(right: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    command = _RUN.search(right.read_text(encoding="utf-8"))
    assert command
    _, source, path, *_ = shlex.split(command[1])
    monkeypatch.chdir(CASES)
    shown = CliRunner().invoke(app, ["import", "--detect", path])
    assert shown.exit_code == 0
    assert f"{SOURCES[source].title}: idiolect import {source} " in shown.output


def check(expected: str, command: list[str], home: Path) -> None:
    """Run an import, and hold what it has written and said against clauses as `own=['yes']; own without ['no']`."""
    shown = CliRunner().invoke(app, [*command, "--home", str(home)])
    if refused := re.fullmatch(r"refused, saying '(.+)'", expected):
        assert shown.exit_code
        assert refused[1] in f"{shown.output}{shown.exception}"
        return
    assert shown.exit_code == 0, shown.exception or shown.output
    got = imported(home) | {"n": messages(shown.output), "rules": rules(shown.output)}
    for clause in expected.split("; "):
        parts = _CLAUSE.fullmatch(clause)
        assert parts, clause
        what, how, value = got["ctx" if parts[1] == "context" else parts[1]], parts[2].strip(), parts[3]
        wanted = ast.literal_eval(value)
        if how == "=":
            assert what == wanted, clause
        else:
            whole = "\n".join(what)
            assert all((piece in whole) == (how == "has") for piece in wanted), (clause, whole)


def imported(home: Path) -> dict[str, Any]:
    """Return all words of the person and of others, and when each memory was, in the order of time."""
    events = [(p.name, msgspec.json.decode(p.read_bytes())) for p in home.rglob("imported/**/*.json")]
    events.sort(key=lambda e: (e[1]["timestamp"] or "", e[0]))
    turns = [turn for name, event in events for turn in read_event(event, name).turns]
    return {
        "own": [t.text for t in turns if t.speaker == "person"],
        "ctx": [t.text for t in turns if t.speaker != "person"],
        "when": [event["timestamp"] for _, event in events],
    }


def messages(shown: str) -> int | None:
    found = re.search(r"^([\d,]+) messages", shown, re.MULTILINE)
    return int(found[1].replace(",", "")) if found else None


def rules(shown: str) -> dict[str, int]:
    """Return how many messages an import says that it has left out, by rule."""
    found = re.findall(r"^ +([\d,]+)  (?!yours, in |of others, )(.+)$", shown, re.MULTILINE)
    return {rule: int(count.replace(",", "")) for count, rule in found}
