"""Another llama.cpp than the one that a model was compared with is compared before the model is talked to."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from idiolect.errors import DataFault
from idiolect.serving import Model, Shelf, check_again, engine, load, note_checked
from idiolect.serving.checked_by import NAME


@pytest.fixture
def model(tiny_gguf: Path, tmp_path: Path) -> Model:
    shutil.copyfile(tiny_gguf, tmp_path / "adapter.gguf")
    loaded = load(tmp_path / "adapter.gguf", warm_up=False)
    note_checked(loaded)
    return loaded


def kept(model: Model) -> Any:
    return json.loads((model.gguf.parent / NAME).read_bytes())


def keep(model: Model, **changed: Any) -> None:
    (model.gguf.parent / NAME).write_text(json.dumps(kept(model) | changed))


def test_what_is_kept_is_the_version_and_no_word_of_anybody(model: Model) -> None:
    assert kept(model)["engines"] == [engine()]
    assert len(kept(model)["prompts"]) == 12
    assert all(len(digest) == 64 for digest in kept(model)["prompts"].values())


def test_another_version_that_asks_alike_is_remembered(model: Model) -> None:
    keep(model, engines=["xllamacpp 2020.1"])
    check_again(model)
    assert kept(model)["engines"] == ["xllamacpp 2020.1", engine()]


def test_another_version_that_asks_otherwise_is_refused_with_the_one_to_install(model: Model) -> None:
    keep(model, engines=["xllamacpp 2020.1"], prompts=kept(model)["prompts"] | {"emoji": "0" * 64})
    with pytest.raises(DataFault, match=r"by 1 of 12 conversations \(first: emoji\)") as refused:
        check_again(model)
    assert refused.value.remedy == "Install that one again: pip install 'xllamacpp==2020.1'"
    with pytest.raises(DataFault, match="asks"):
        Shelf().get(model.gguf, 256)


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"engines": 1}'])
def test_without_a_sound_note_nothing_is_compared(model: Model, damage: str) -> None:
    (model.gguf.parent / NAME).write_text(damage)
    check_again(model)
    (model.gguf.parent / NAME).unlink()
    check_again(model)
    assert not (model.gguf.parent / NAME).exists()
