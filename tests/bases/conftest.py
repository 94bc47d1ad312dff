"""llama.cpp on the packaged embedded model, and a folder that has the files of one."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from idiolect.bases import embedded

Ask = Callable[[str, dict[str, Any]], Any]


@pytest.fixture(scope="session")
def llama_cpp() -> Ask:
    """Return a function that posts to a llama.cpp server which has the packaged GGUF loaded."""
    import xllamacpp

    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(embedded.packaged_gguf())
    parameters.n_ctx, parameters.n_parallel, parameters.verbosity = 256, 1, 0
    # One thread: those of llama.cpp wait for each other by spinning, which starves a shared machine.
    parameters.cpuparams.n_threads = parameters.cpuparams_batch.n_threads = 1
    parameters.warmup = False
    parameters.endpoint_metrics = True
    server = xllamacpp.Server(parameters)
    # Only the running loop answers this. A server that is dropped before its loop runs would never end.
    server.handle_metrics()

    def ask(path: str, body: dict[str, Any]) -> Any:
        request = urllib.request.Request(  # noqa: S310 - it listens on 127.0.0.1
            f"{server.listening_address}/{path}",
            data=json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=60) as reply:  # noqa: S310
            return json.load(reply)

    return ask


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with all the files of a model, and nothing in them."""
    made = tmp_path / "model"
    made.mkdir()
    (made / "config.json").write_text("{}")
    (made / "tokenizer.json").write_text("{}")
    (made / "tokenizer_config.json").write_text(json.dumps({"chat_template": "{{ messages }}"}))
    (made / "model.safetensors").write_bytes(b"")
    return made
