from __future__ import annotations

from pathlib import Path

import pytest

from idiolect.errors import ExportFault
from idiolect.memories.importers import Pseudonyms
from idiolect.memories.importers.pseudonyms import Mask

NAMES = ("Anna Berg", "Bob", "anna dahl", "sunny", "王小明", "+47 912 34 567", "bo@example.org", "Ada Lunde")
TEXT = (
    "Anna Berg: Bob and Berg rowed, @sunny too; a sunny day.\nsunny: Ada?\n"
    "+47 912 34 567: 我看见王小明了 bo@example.org anna dahl"
)


def test_names_are_masked_the_same_everywhere_and_later(tmp_path: Path) -> None:
    names = Pseudonyms(tmp_path / "names.json", mine=("Ada",))
    names.learn(NAMES)
    mask = Mask(names.known).text
    masked = mask(TEXT)
    for name in ("Anna", "Berg", "Bob", "王小明", "912", "bo@", "dahl", "@sunny", "\nsunny"):
        assert name not in masked
    assert "a sunny day" in masked
    assert "Ada?" in masked
    first, last = mask("Anna Berg").split()
    assert masked.startswith(f"{first} {last}: {mask('Bob')} and {last} rowed")
    names.save()
    later = Pseudonyms(tmp_path / "names.json", mine=("Ada",))
    later.learn(["Zoe", *reversed(NAMES)])
    again = Mask(later.known).text
    assert again(TEXT) == masked
    assert again("Zoe") not in masked


def test_there_are_always_more_names(tmp_path: Path) -> None:
    names = Pseudonyms(tmp_path / "names.json")
    everyone = [f"Name{chr(97 + n // 26)}{chr(97 + n % 26)}" for n in range(300)]
    names.learn(everyone)
    mask = Mask(names.known).text
    assert len({mask(name) for name in everyone}) == 300


def test_a_broken_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "names.json").write_text("[1]")
    with pytest.raises(ExportFault, match="cannot be read"):
        Pseudonyms(tmp_path / "names.json")
