"""Model files are asked once, and what they said is remembered: a real one, of random weights."""

from __future__ import annotations

import threading
from pathlib import Path

import msgspec
import pytest

from idiolect.curation import Message
from idiolect.errors import DataFault
from idiolect.evaluation.heard import recall, remember
from idiolect.evaluation.side_by_side import Share
from idiolect.export import export_gguf
from tests.evaluation.test_answers import sample
from tests.evaluation.test_quantization import TEXTS
from tests.tiny import CHAT_TEMPLATE

SHARE = Share(1, threading.Event())
TALKS = [sample(name, "Rain.") for name in ("one", "two")]
CHANGED = msgspec.structs.replace(TALKS[0], messages=(Message("user", "Else?"), *TALKS[0].messages[2:]))


def test_a_file_is_asked_once(tiny_base: Path, tmp_path: Path) -> None:
    """What is remembered needs no file at all; what is not cannot be had without one."""
    gguf, memory, gone = tmp_path / "m.gguf", tmp_path / "state" / "heard", tmp_path / "gone.gguf"
    tokenizer = tiny_base / "tokenizer.json"
    export_gguf(tiny_base, gguf, "Q8_0", name="tiny", chat_template=CHAT_TEMPLATE)
    first = recall(memory, {"new": gguf})["new"]
    said = first.answered(gguf, TALKS, 512, SHARE)
    losses = first.read(gguf, TEXTS[:3], tokenizer, SHARE)
    assert losses.keys() == {t.text for t in TEXTS[:3]}
    remember(memory, {"new": gguf}, {"new": first})

    again = recall(memory, {"previous": gguf})["previous"]
    assert again.answered(gone, [TALKS[1], TALKS[0]], 512, SHARE) == [said[1], said[0]]
    assert again.read(gone, TEXTS[:3], tokenizer, SHARE) == losses
    for not_heard in (
        lambda: again.answered(gone, [CHANGED], 512, SHARE),
        lambda: again.read(gone, TEXTS, tokenizer, SHARE),
    ):
        with pytest.raises(DataFault, match="cannot be loaded"):
            not_heard()


def test_another_file_has_said_nothing_yet_and_the_last_ones_are_kept(tmp_path: Path) -> None:
    memory, files = tmp_path / "heard", [tmp_path / f"{n}.gguf" for n in range(12)]
    for number, file in enumerate(files):
        file.write_text(f"model {number}")
        found = recall(memory, {"new": file})
        assert (found["new"].answers, found["new"].losses) == ({}, {})
        found["new"].answers["asked"] = f"said {number}"
        remember(memory, {"new": file}, found)
    left = recall(memory, {file.stem: file for file in files})
    assert {name for name, heard in left.items() if heard.answers} == {str(n) for n in range(4, 12)}
    memory.write_bytes(b"spoiled")
    assert recall(memory, {"new": files[-1]})["new"].answers == {}
