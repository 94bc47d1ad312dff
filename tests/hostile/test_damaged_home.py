"""Promise: one damaged file of a home costs one thing: two lines that name it, or nothing, and never a traceback.

IDIOLECT_DAMAGES says how many damages are tried, each with every command (nightly: 1000).
"""

from __future__ import annotations

import io
import json
import os
import random
import shutil
import sys
import traceback
from collections.abc import Callable, Sequence
from contextlib import redirect_stderr, redirect_stdout
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from idiolect.cli import main
from idiolect.files import write_json, write_jsonl, write_text
from idiolect.home import Home
from idiolect.workflow.archive.registry import Published, Registry
from idiolect.workflow.calendar.schedule import Month, Schedule
from idiolect.workflow.records.journal import Journal
from tests.runs import write_run

DAMAGES = int(os.environ.get("IDIOLECT_DAMAGES", "3"))
OLD, NEW, QUEUED = "2026-01-05-120000-260105", "2026-02-05-120000-260205", "2026-03-05-120000-260305"


def _with(content: bytes) -> Callable[[Path], None]:
    return lambda file: _put(file, content)


def _put(file: Path, content: bytes) -> None:
    file.write_bytes(content)


def _half(file: Path) -> None:
    _put(file, file.read_bytes()[: file.stat().st_size // 2])


def _other_types(file: Path) -> None:
    """Put a number for each value of the outermost object."""
    try:
        content = json.loads(file.read_bytes())
    except ValueError:
        content = {}
    _put(file, json.dumps(dict.fromkeys(content, 5) if isinstance(content, dict) else [5]).encode())


def _one_byte(file: Path) -> None:
    content = bytearray(file.read_bytes() or b" ")
    content[random.randrange(len(content))] = random.randrange(256)
    _put(file, bytes(content))


def _in_its_place(make: Callable[[Path], Any]) -> Callable[[Path], None]:
    def damage(file: Path) -> None:
        file.unlink()
        make(file)

    return damage


WAYS: dict[str, Callable[[Path], None]] = {
    "cut in half": _half,
    "empty": _with(b""),
    "zeros": _with(bytes(4096)),
    "no UTF-8": _with(b'{"label": "\xff\xfe"}\n'),
    "nested without end": _with(b'{"a":' * 100_000),
    "lists without end": _with(b"[" * 100_000),
    "null": _with(b"null\n"),
    "an empty object": _with(b"{}\n"),
    "a list": _with(b'[1, "two", null]\n'),
    "other types": _other_types,
    "another program's": _with(b'{"version": 3, "items": [{"id": 1}], "state": "running", "label": "x"}\n'),
    "one byte": _one_byte,
    "gone": _in_its_place(lambda _: None),
    "a folder": _in_its_place(lambda file: file.mkdir()),
    "a pipe": _in_its_place(os.mkfifo),
    "a link to nowhere": _in_its_place(lambda file: file.symlink_to("/nowhere/at/all")),
    "a link to itself": _in_its_place(lambda file: file.symlink_to(file.name)),
    "a lone surrogate": _with(b'{"label": "\\ud800", "person": "\\udfff"}\n'),
    "enormous numbers": _with(b'{"day": 1e999, "due": "9999-12-31T23:59:59Z", "turn": ' + b"9" * 5000 + b"}\n"),
}

COMMANDS: list[list[str]] = [
    ["runs"],
    ["runs", "-u", "ada", "--json"],
    ["runs", "show", OLD],
    ["runs", "show", QUEUED, "--json"],
    ["runs", "compare", OLD, NEW],
    ["runs", "resume", QUEUED, "--queue", "cpu"],
    ["runs", "cancel", QUEUED],
    ["models"],
    ["rollback", "-u", "ada"],
    ["cleanup", "-u", "ada", "--dry-run"],
    ["cleanup", "-u", "ada"],
    ["dataset", "edits", "-u", "ada"],
    ["dataset", "drop", "evt-000000000000002", "-u", "ada"],
    ["schedule", "list"],
    ["plan", "-u", "ada", "--base-model", "{base}"],
    ["forget", "evt-000000000000003", "-u", "ada"],
    ["full-cycle", "-u", "ada", "--base-model", "{base}", "--queue", "cpu"],
    ["curate", "-u", "ada", "--output", "{home}/curated.json"],
    ["export", "-u", "ada", "--run", NEW, "--quantization", "Q8_0"],
    ["machines", "reap"],
]


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory, tiny_base: Path, talks: list[dict[str, Any]]) -> Home:
    """A home with all kinds of files in it."""
    home = Home(tmp_path_factory.mktemp("damaged") / "home")
    ada = home.profile("ada")
    for number, event in enumerate(talks[:8]):
        write_json(ada.memories / f"2026/{number:03}.json", event)
    write_json(home.training_json, {"num_train_epochs": 2})
    write_json(ada.curation_json, {"blocked_words": ["never"]})
    write_json(ada.training_json, {"lora_rank": 4})
    write_json(ada.persona, {"identity": {"name": "Ada"}})
    write_text(home.machines_toml, '[ssh.box]\nhost = "box.local"\n')
    write_json(ada.schedule, Schedule(since=datetime(2026, 1, 1, tzinfo=UTC)))
    write_json(ada.month, Month(datetime(2026, 1, 1, tzinfo=UTC), "", "few"))
    for day in (OLD, NEW):
        run = write_run(home, tiny_base, day[:10], gguf=day == NEW)
        write_json(run.evaluation, {"base_model": str(tiny_base)})
        write_jsonl(run.ledger, [])
    queued = ada.run(run.cycle, QUEUED)
    queued.folder.mkdir(parents=True)
    began = datetime(2026, 3, 5, tzinfo=UTC)
    write_json(queued.journal, Journal(QUEUED, "full-cycle", "ada", began, {}, {"base_model": str(tiny_base)}, "cpu"))
    models = [
        Published(
            label=label,
            cycle="full-cycle",
            gguf=str(ada.run(run.cycle, label).gguf.relative_to(ada.root)),
            since=began,
            system_messages={"emulation": "a", "dual": "b", "agent": "c"},
            turn_end="<|im_end|>",
        )
        for label in (NEW, OLD)
    ]
    write_json(ada.registry, Registry(published=models[0], before=models[1:]))
    write_json(home.pods / "abc" / "lease.json", {"job": "abc", "name": "idiolect-abc-1", "deadline": 1.0})
    write_text(home.known_hosts, "box ssh-ed25519 AAAA\n")
    assert _run(["dataset", "drop", "evt-000000000000001", "-u", "ada"], home, tiny_base) == ""
    return home


def _run(words: Sequence[str], home: Home, base: Path) -> str:
    """Run a command in this process; return the traceback that it has left, or what else is wrong with its end."""
    filled = [word.format(home=home.root, base=base) for word in words]
    before, mask = sys.argv, os.umask(0o022)
    os.umask(mask)
    sys.argv = ["idiolect", *filled, "--home", str(home.root)]
    said = io.StringIO()
    code: object = 0
    try:
        with redirect_stdout(io.StringIO()), redirect_stderr(said):
            main()
    except SystemExit as ended:
        code = ended.code
    except BaseException:  # noqa: BLE001 - whatever a person would see as a traceback
        return traceback.format_exc()
    finally:
        sys.argv = before
        os.umask(mask)
    return "" if code in (0, None) or said.getvalue().count("\n") >= 2 else f"exit code {code}: {said.getvalue()!r}"


def test_every_command_runs_on_the_sound_home(sound: Home, tiny_base: Path, tmp_path: Path) -> None:
    shutil.copytree(sound.root, tmp_path / "home", symlinks=True)
    assert [c for c in COMMANDS if _run(c, Home(tmp_path / "home"), tiny_base)] == []


@pytest.mark.parametrize("number", range(DAMAGES))
def test_a_home_damaged_at_random_gives_no_traceback(
    sound: Home, tiny_base: Path, tmp_path: Path, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RUNPOD_API_KEY", raising=False)
    random.seed(number)
    files = sorted(f for f in sound.root.rglob("*") if f.is_file() and f.suffix not in (".gguf", ".lock"))
    home = Home(tmp_path / "home")
    shutil.copytree(sound.root, home.root)
    hit = home.root / random.choice(files).relative_to(sound.root)
    way = random.choice(sorted(WAYS))
    WAYS[way](hit)
    for words in COMMANDS:
        found = _run(words, home, tiny_base)
        assert not found, f"{' '.join(words)} with {hit.relative_to(home.root)} {way}:\n{found}"
