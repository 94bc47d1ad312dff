"""`idiolect import`, typed as a person types it."""

from __future__ import annotations

import json
from pathlib import Path

from idiolect.home import Home
from idiolect.workflow.data.importing import import_memories, import_options
from tests.cli.test_commands import idiolect
from tests.memories.importers.exports import ADA, LIFE, telegram, whatsapp


def test_an_export_is_detected_imported_and_learned_from(home: Home, tmp_path: Path, tiny_base: Path) -> None:
    export = whatsapp(tmp_path / "export", LIFE)
    shown = idiolect("import", "--detect", str(export)).stdout
    assert "24 messages in 1 conversation, 2024-03-05 to 2024-03-08" in shown
    assert f"idiolect import whatsapp '{export}' --username NAME" in shown
    assert ADA in shown
    assert "The export does not say who you are" in shown
    place = ("--username", "ada", "--home", str(home.root))
    done = idiolect("import", "whatsapp", str(export), *place, "--me", "ada lunde", "--timezone", "Europe/Oslo")
    assert done.returncode == 0, done.stderr
    for line in ("24 messages", "12  yours, in 4 new memories", "12  of others"):
        assert line in done.stdout
    events = [json.loads(p.read_text()) for p in sorted(home.profile("ada").memories.rglob("*.json"))]
    assert events[0]["timestamp"] == "2024-03-05T08:07:00Z"
    assert events[0]["tags"] == ["imported", "whatsapp"]
    made = idiolect("dataset", *place, "--base-model", str(tiny_base))
    assert "4 samples of 4 memories" in made.stdout, made.stderr


def test_others_can_be_masked_and_dropped(home: Home, tmp_path: Path) -> None:
    export = telegram(tmp_path / "export", LIFE)
    for others in ("mask", "drop"):
        import_memories(home, others, "telegram", export, import_options({"others": others}))
        text = "".join(p.read_text() for p in home.profile(others).memories.rglob("*.json"))
        assert "Anna" not in text
        assert "captain blames the swans" in text
        assert ("Is the ferry late" in text) == (others == "mask")
    assert "Anna" in home.profile("mask").pseudonyms.read_text()


def test_a_mistake_takes_two_lines(home: Home, tmp_path: Path) -> None:
    chat = whatsapp(tmp_path / "chat", LIFE)
    done = idiolect("import", "whatsapp", str(chat), "-u", "ada", "--home", str(home.root))
    assert done.returncode == 2
    assert "Anna Berg (12)" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 2
    assert not home.profile("ada").memories.exists()
    assert idiolect("import", "whatsapp", str(chat)).returncode == 2
