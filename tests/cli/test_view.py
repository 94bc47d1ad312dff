"""What a person sees of a run, where it does not go to a terminal."""

from __future__ import annotations

import pytest
import typer

from idiolect.cli.cycles import watch
from idiolect.home import Home
from idiolect.training import Note
from idiolect.workflow.archive.runs import Finished
from idiolect.workflow.records.events import Began, Ended, Tell


def test_in_a_pipe_what_is_told_at_once_is_one_line_however_long(
    home: Home, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    words = " ".join(["word"] * 60)

    def cycle(tell: Tell) -> Finished:
        tell(Note(words))
        tell(Began("train", f"because {words}"))
        tell(Ended("train", words, 1.0))
        raise KeyboardInterrupt

    with pytest.raises(typer.Exit):
        watch(cycle, "ada", home.root)
    note, again, outcome = capsys.readouterr().out.splitlines()
    assert note.strip() == words
    assert again.endswith(f"again; because {words}")
    assert outcome == f"✓ train      {words} 1.0 s"
