"""One way to draw the next token: in a model file as llama.cpp reads it, in requests, in what Ollama is told."""

from __future__ import annotations

from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
import pytest

from idiolect.export import export_gguf
from idiolect.serving import Model, Sampling, load


def drawn_by_default(model: Model) -> dict[str, Any]:
    """Return how llama.cpp draws where a request says nothing, as it says itself."""
    connection = HTTPConnection(urlsplit(model.server.listening_address).netloc)
    connection.request("GET", "/props", headers={"Authorization": f"Bearer {model.key}"})
    answer = msgspec.json.decode(connection.getresponse().read())
    connection.close()
    return dict(answer["default_generation_settings"]["params"])


@pytest.mark.parametrize("sampling", [Sampling(), Sampling(0.33, 17, 0.8, 0.011, 1.25, 99)], ids=["ours", "others"])
def test_llama_cpp_takes_them_from_the_model_file(sampling: Sampling, tiny_base: Path, tmp_path: Path) -> None:
    export_gguf(tiny_base, tmp_path / "m.gguf", "Q8_0", name="ada", keys=sampling.gguf_keys())
    drawn = drawn_by_default(load(tmp_path / "m.gguf", 256, warm_up=False))
    told = {name: value for name, value in sampling.request().items() if name not in ("max_tokens", "seed")}
    assert {name: drawn[name] for name in told} == pytest.approx(told)


def test_a_file_that_says_nothing_is_drawn_otherwise(tiny_gguf: Path) -> None:
    """Or the test above would hold for a llama.cpp that reads nothing."""
    drawn = drawn_by_default(load(tiny_gguf, 256, warm_up=False))
    assert (drawn["temperature"], drawn["repeat_penalty"]) != (pytest.approx(0.7), pytest.approx(1.1))


def test_what_ollama_is_told_is_what_llama_cpp_is_asked() -> None:
    asked, told = Sampling().request(), Sampling().ollama_parameters()
    assert told["num_predict"] == asked["max_tokens"] == 256
    assert {n: v for n, v in told.items() if n != "num_predict"}.items() <= asked.items()
    assert set(asked) - set(told) == {"max_tokens", "seed"}
