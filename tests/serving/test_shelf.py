"""Models that are held in memory while their files change under them."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from idiolect.curation import Message
from idiolect.errors import DataFault
from idiolect.export import export_gguf
from idiolect.serving import Sampling, Shelf, reply
from tests.tiny import CHAT_TEMPLATE

HI = [Message("user", "Hi.")]


def said(shelf: Shelf, file: Path) -> str:
    return reply(shelf.get(file, 256), HI, Sampling(max_tokens=12, seed=1)).text


def test_a_file_is_loaded_once_and_another_in_its_place_is_noticed(tiny_base: Path, tmp_path: Path) -> None:
    file, other, new = (tmp_path / name for name in ("m.gguf", "other.gguf", "new.gguf"))
    export_gguf(tiny_base, file, "Q8_0", name="ada", chat_template=CHAT_TEMPLATE)
    export_gguf(tiny_base, other, "Q8_0", name="ada", chat_template=CHAT_TEMPLATE.replace("assistant", "user"))
    shelf = Shelf()
    first = shelf.get(file, 256)
    assert shelf.get(file, 256) is first
    expected = said(Shelf(), other)
    assert said(shelf, file) != expected
    shutil.copy(other, new)
    new.replace(file)  # as a file of ours is written
    assert said(shelf, file) == expected
    assert len(shelf.loaded) == 1
    assert reply(first, HI, Sampling(max_tokens=1)).tokens == 1  # whoever still has the old one goes on with it


def test_a_file_that_is_overwritten_in_its_place_is_noticed(tiny_base: Path, tmp_path: Path) -> None:
    file, other = tmp_path / "m.gguf", tmp_path / "other.gguf"
    export_gguf(tiny_base, file, "Q8_0", name="ada", chat_template=CHAT_TEMPLATE)
    export_gguf(tiny_base, other, "Q8_0", name="ada", chat_template=CHAT_TEMPLATE.replace("assistant", "user"))
    shelf = Shelf()
    before = said(shelf, file)
    inode = file.stat().st_ino
    with file.open("r+b") as place:  # as `cp` and `rsync --inplace` write
        place.write(other.read_bytes())
        place.truncate()
    os.utime(file, ns=(1, 1))
    assert file.stat().st_ino == inode
    assert said(shelf, file) == said(Shelf(), other) != before


def test_what_is_gone_or_broken_is_a_fault_and_what_is_offered_no_longer_is_let_go(
    tiny_gguf: Path, tmp_path: Path
) -> None:
    shelf, file = Shelf(), tmp_path / "m.gguf"
    shutil.copy(tiny_gguf, file)
    shelf.get(file, 256)
    shelf.get(tiny_gguf, 256)
    file.write_bytes(b"GGUF and nothing more")
    with pytest.raises(DataFault, match="cannot be loaded"):
        shelf.get(file, 256)
    file.unlink()
    with pytest.raises(DataFault, match="cannot be read: No such file"):
        shelf.get(file, 256)
    shelf.keep([])
    assert not shelf.loaded


def test_models_that_together_are_too_large_are_held_alone(tiny_gguf: Path, tmp_path: Path) -> None:
    other = tmp_path / "m.gguf"
    shutil.copy(tiny_gguf, other)
    size = tiny_gguf.stat().st_size
    for most, left in ((size, 1), (2 * size, 2), (None, 2)):
        shelf = Shelf(most=most)
        shelf.get(tiny_gguf, 256)
        shelf.get(other, 256)
        assert len(shelf.loaded) == left
