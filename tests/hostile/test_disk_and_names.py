"""Promise: a disk that refuses is two lines in every command; what is written is private; names are checked."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from idiolect.home import Home
from tests.conftest import MakePerson
from tests.hostile.cases import cases
from tests.hostile.command import assert_two_lines, idiolect

WRITING: dict[str, list[str]] = {
    "full-cycle": ["full-cycle", "-u", "ada", "--base-model", "{base}"],
    "queue": ["full-cycle", "-u", "ada", "--base-model", "{base}", "--queue", "cpu"],
    "dataset": ["dataset", "-u", "ada", "--base-model", "{base}"],
    "curate": ["curate", "-u", "ada", "--output", "{home}/profiles/ada/out/curated.json"],
    "cleanup": ["cleanup", "-u", "ada"],
    "schedule": ["schedule", "-u", "ada", "--monthly"],
    "import": ["import", "plain", "{home}/etc/messages.csv", "-u", "ada", "--me", "Ada"],
    "drop": ["dataset", "drop", "evt-000000000000001", "-u", "ada"],
    "worker": ["worker"],
}


@pytest.fixture
def ada(home: Home, make_person: MakePerson, talks: list[dict[str, Any]]) -> Home:
    make_person("ada", talks)
    home.training_json.parent.mkdir(parents=True, exist_ok=True)
    (home.root / "etc" / "messages.csv").write_text("time,who,text\n2026-01-01T10:00:00,Ada,Good morning to you\n")
    return home


def words_of(command: str, home: Home, base: Path) -> list[str]:
    return [word.format(home=home.root, base=base) for word in WRITING[command]]


@pytest.fixture
def read_only(ada: Home) -> Iterator[Home]:
    """The home on a disk that is mounted read-only: not even root may write there."""
    bind = ["mount", "--bind", str(ada.root), str(ada.root)]
    if subprocess.run(bind, check=False, capture_output=True).returncode:
        pytest.skip("only root may mount")
    subprocess.run(["mount", "-o", "remount,ro,bind", str(ada.root)], check=True)
    yield ada
    subprocess.run(["umount", str(ada.root)], check=True)


@pytest.mark.parametrize("command", cases(list(WRITING), 3))
def test_a_home_that_may_not_be_written_to_is_two_lines(read_only: Home, tiny_base: Path, command: str) -> None:
    done = idiolect(*words_of(command, read_only, tiny_base), home=read_only.root)
    assert_two_lines(done)
    assert "Read-only file system" in done.stderr


@pytest.mark.parametrize("command", cases([c for c in reversed(WRITING) if c != "worker"], 3))
def test_a_full_disk_is_two_lines(ada: Home, tiny_base: Path, command: str) -> None:
    """No file may be larger than nothing, which Python is told as a disk is full for it (EFBIG)."""
    done = idiolect(*words_of(command, ada, tiny_base), home=ada.root, before="ulimit -f 0")
    assert_two_lines(done)
    assert "full" in done.stderr


NAMES = ["nobody", "./ada", "../profiles/ada", "ada/", "", "..", "n" * 300, "a\nb", "ada\x1b[2J", "*", "ADA/../ada"]
ASKING: dict[str, list[str]] = {
    "runs": ["runs"],
    "chat": ["chat"],
    "models": ["models"],
    "serve": ["serve"],
    "promote": ["promote", "2026-01-01-120000-abcdef"],
    "rollback": ["rollback"],
    "cleanup": ["cleanup"],
    "schedule": ["schedule", "remove"],
    "cancel": ["runs", "cancel", "2026-01-01-120000-abcdef"],
    "resume": ["runs", "resume"],
    "dataset": ["dataset"],
    "edits": ["dataset", "edits"],
    "evaluate": ["evaluate", "--run", "2026-01-01-120000-abcdef"],
    "full-cycle": ["full-cycle"],
}


@pytest.mark.parametrize("command", cases(list(ASKING), 6))
def test_a_name_that_is_nobodys_is_refused_by_every_command(
    ada: Home, command: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from idiolect.cli import main

    before = os.umask(0o022)
    os.umask(before)
    for name in NAMES:
        if not name and command in ("runs", "models", "serve", "resume", "cancel"):
            continue  # as if it had not been given
        words = ["idiolect", *ASKING[command], "--username", name, "--home", str(ada.root)]
        monkeypatch.setattr("sys.argv", words)
        try:
            with pytest.raises(SystemExit) as ended:
                main()
        finally:
            os.umask(before)
        said = capsys.readouterr().err
        assert ended.value.code == 2, (name, said)
        assert len(said.strip().splitlines()) == 2, (name, said)
        assert "UnknownPerson" in said, (name, said)


def test_what_is_written_can_be_read_by_its_owner_alone(ada: Home, tiny_base: Path) -> None:
    done = idiolect(*words_of("dataset", ada, tiny_base), home=ada.root, before="umask 022")
    assert done.returncode == 0, done.stderr
    idiolect(*words_of("drop", ada, tiny_base), home=ada.root, before="umask 022")
    idiolect(*words_of("queue", ada, tiny_base), home=ada.root, before="umask 022")
    written = [ada.profile("ada").out, ada.profile("ada").audit, ada.profile("ada").edits]
    files = [f for place in written for f in (place, *place.rglob("*"))]
    assert len(files) > 10
    assert {f: oct(f.stat().st_mode & 0o077) for f in files if f.stat().st_mode & 0o077} == {}
