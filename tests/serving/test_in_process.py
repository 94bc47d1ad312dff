from __future__ import annotations

from pathlib import Path

import pytest

from idiolect.bases.embedded import packaged_gguf
from idiolect.curation import Message
from idiolect.errors import DataFault
from idiolect.serving import Sampling, load, reply


@pytest.mark.slow
def test_a_model_answers_in_pieces_and_stops_of_itself() -> None:
    model = load(packaged_gguf())
    pieces: list[str] = []
    talk = [Message("system", "You answer in one word."), Message("user", "What is the capital of France?")]
    answer = reply(model, talk, Sampling(temperature=0.0), pieces.append)
    assert "Paris" in answer.text
    assert answer.text == "".join(pieces).strip()
    assert len(pieces) > 1
    assert answer.finish_reason == "stop"
    cut = reply(model, talk, Sampling(max_tokens=1))
    assert (cut.finish_reason, cut.tokens) == ("length", 1)


def test_a_file_that_is_no_model_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model.gguf").write_bytes(b"GGUF and nothing more")
    with pytest.raises(DataFault, match=r"model\.gguf cannot be loaded"):
        load(tmp_path / "model.gguf")
