"""Writing beside the reading, in another process: the same files, and its failures are those of the import."""

from __future__ import annotations

from itertools import cycle
from pathlib import Path

import pytest

from idiolect.home import Home
from idiolect.memories.importers import Asked, Export, Imported, bring_in, writing
from idiolect.memories.importers.events import Writing
from idiolect.memories.importers.ledger import lines
from tests.memories.importers.exports import LIFE, telegram
from tests.memories.importers.test_once import hashes


def bring(home: Home, person: str, export: Path) -> Imported:
    with Export(export) as opened:
        return bring_in("telegram", opened, home.profile(person), Asked(), pause=300)


def fates(done: Imported) -> list[tuple[str, str, str]]:
    found = lines(done.folder / "ledger.jsonl")
    return sorted(
        (line.thread, name, line.memory or line.rule)
        for line in found
        for name in (*line.own, *line.context, *line.left)
    )


def refuse(*_: object) -> None:
    raise AssertionError("this is the other process's")


def much(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "FEW", 0)
    monkeypatch.setattr(writing, "TOGETHER", 3)
    monkeypatch.setattr(writing, "PATIENCE", 60)


@pytest.mark.parametrize("alone", [True, False], ids=["alone", "in turns"])
def test_another_process_writes_the_same(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, alone: bool
) -> None:
    export = telegram(tmp_path / "export", LIFE)
    here = bring(home, "ada", export)
    much(monkeypatch)
    if alone:
        monkeypatch.setattr(writing.Desk, "take", refuse)
    else:
        turns, is_free = cycle([True, False]), writing._Beside.is_free
        monkeypatch.setattr(writing._Beside, "is_free", lambda self: next(turns) and is_free(self))
    elsewhere = bring(home, "eda", export)
    assert here.memories > 3
    assert (elsewhere.memories, elsewhere.own, elsewhere.context, elsewhere.rules) == (
        here.memories,
        here.own,
        here.context,
        here.rules,
    )
    assert fates(elsewhere) == fates(here)
    assert sorted(p.name for p in elsewhere.folder.iterdir() if p.is_file()) == ["ledger.jsonl"]
    names = hashes(home.profile("ada").memories)
    assert set(hashes(home.profile("eda").memories)) == set(names)


def test_its_failure_is_raised_and_nothing_is_left(home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    export = telegram(tmp_path / "export", LIFE)
    much(monkeypatch)
    monkeypatch.setattr(writing.Desk, "take", refuse)
    scribe_made = writing.Scribe.__init__

    def made(self: writing.Scribe, how: Writing, folder: Path) -> None:
        scribe_made(self, how, folder)
        (folder / "memories").write_text("where the folder should be")

    monkeypatch.setattr(writing.Scribe, "__init__", made)
    with pytest.raises(OSError, match="memories"):
        bring(home, "ada", export)
    profile = home.profile("ada")
    assert not profile.imported("telegram").exists()
    assert not profile.importing("telegram").exists()
