"""Exports with all the fields that real ones have, put down as their programs do, are read to the last message."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from benchmarks.exports import ADA, SOURCES, write
from idiolect.home import Home
from idiolect.memories.importers import Asked, Export, bring_in
from idiolect.memories.importers.sources import SOURCES as KNOWN

#: What stands once in each message, as its program writes it.
MESSAGE = {
    "chatgpt": '"end_turn":',
    "claude": '"sender":',
    "day-one": '"creationOSName" :',
    "discord": '"inlineEmojis":',
    "facebook": '"is_geoblocked_for_viewer":',
    "google-chat": '"topic_id":',
    "plain": '"who":',
    "signal": '"chatItem":',
    "slack": '"client_msg_id":',
    "telegram": '"text_entities":',
}


@pytest.mark.parametrize("source", SOURCES)
def test_it_is_known_and_read_whole(source: str, home: Home, tmp_path: Path) -> None:
    folder = write(source, tmp_path / "export", 300_000)
    written = "".join(f.read_text(encoding="utf-8") for f in folder.rglob("*") if f.is_file())
    with Export(folder) as export:
        assert [name for name, known in KNOWN.items() if known.found(export)] == [source]
        done = bring_in(source, export, home.profile("ada"), Asked(me=(ADA,)), pause=6 * 3600)
    assert done.survey.messages == len(re.findall(re.escape(MESSAGE[source]), written)) > 80
    assert not done.survey.unread
    assert min(done.own, done.memories) > 20
    assert done.own + done.context + sum(done.rules.values()) == done.survey.messages
