"""What is dropped lies within its own folder, whatever it is called, and goes when it is not needed any more."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from idiolect.errors import ExportFault
from idiolect.home import Home
from idiolect.studio.uploads import Upload, own_folder, wait_until_whole


def test_files_lie_where_they_lay_in_what_was_dropped(home: Home) -> None:
    with own_folder(home):
        upload = Upload()
        file = upload.place("facebook-ada/messages/Anna & co.json")
        file.write_text("1")
        assert file.relative_to(upload.folder) == Path("facebook-ada/messages/Anna & co.json")
        assert upload.path == upload.folder / "facebook-ada"
        upload.place("notes.md").write_text("2")
        assert upload.path == upload.folder
    assert not list(home.uploads.iterdir())


UP = ("C:\\a", "C:a", "..", "../a", "/etc/passwd", "a/../../b", ".", "a/./b")
NO_NAMES = ("", "a//b", "a/", "a\\b", "a\0b", "a\nb", "x" * 241, "\x9b2J", "\udcff", "a/" * 31 + "b")


@pytest.mark.parametrize("name", [*UP, *NO_NAMES])
def test_a_name_that_leads_elsewhere_is_refused(home: Home, name: str) -> None:
    with own_folder(home):
        upload = Upload()
        with pytest.raises(ExportFault, match="cannot be the name of a file"):
            upload.place(name)
        assert not list(upload.folder.iterdir())


def test_an_upload_stays_while_it_is_read_and_the_studio_waits_for_an_import(home: Home) -> None:
    told: list[str] = []
    with own_folder(home):
        upload = Upload()
        with upload.in_use() as path:
            upload.leave()
            assert path.exists()
            wait_until_whole(lambda: told.append("looking"))
        assert not path.exists()
        with pytest.raises(KeyboardInterrupt), Upload().in_use(whole=True):
            wait_until_whole(_press_ctrl_c)
        wait_until_whole(lambda: told.append("over"))
    assert told == []


def _press_ctrl_c() -> None:
    raise KeyboardInterrupt


def test_what_dead_studios_have_left_is_removed(home: Home) -> None:
    for left in ("999999999", "stray", str(os.getppid())):
        (home.uploads / left).mkdir(parents=True)
    with own_folder(home):
        assert {f.name for f in home.uploads.iterdir()} == {str(os.getppid()), str(os.getpid())}
