"""A home with a person in it, and a base model small enough to train in a second."""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from idiolect.bases import BaseModel, resolve
from idiolect.export import export_gguf
from idiolect.files import write_json
from idiolect.home import Home, Run
from tests.runs import write_run
from tests.tiny import SENTENCES, write_model, write_tokenizer

# Nothing is fetched while tests run; what would be, fails at once.
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"
# Several threads gain nothing on models this small, and wait for each other by spinning.
os.environ["OMP_NUM_THREADS"] = "1"
# A shell lets its background jobs ignore Ctrl-C, and all that they start; some of that is to be ended by it here.
signal.signal(signal.SIGINT, signal.default_int_handler)

Event = Mapping[str, Any]
MakePerson = Callable[..., str]
MakeRun = Callable[..., Run]


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting of whoever runs the tests reaches them."""
    for name in list(os.environ):
        if name.startswith(("METAHUMAN_", "IDIOLECT_")):
            monkeypatch.delenv(name)
    # Nobody answers there: the Ollama of whoever runs the tests is not for them to publish to.
    monkeypatch.setenv("OLLAMA_HOST", "127.0.0.1:9")


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


@pytest.fixture
def make_person(home: Home) -> MakePerson:
    """Return a function that writes events into a profile, and settings into its etc/training.json."""

    def make(name: str, events: list[Event], **training: Any) -> str:
        profile = home.profile(name)
        for number, event in enumerate(events):
            write_json(profile.memories / f"2026/{number:03}.json", event)
        if training:
            write_json(profile.training_json, training)
        return name

    return make


@pytest.fixture(scope="session")
def talks() -> list[Event]:
    """Forty short talks on as many days, no two alike."""
    return [
        {
            "id": f"evt-{n:015}",
            "timestamp": f"2026-{1 + n // 28:02}-{1 + n % 28:02}T08:00:00Z",
            "type": ("conversation", "journal", "task")[n % 3],
            "content": f"What of number {n}?",
            "response": " ".join(random.Random(n).choices(" ".join(SENTENCES).split(), k=12)),
        }
        for n in range(40)
    ]


@pytest.fixture(scope="session")
def tiny_base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Llama of two layers with random weights and a tokenizer of its own; read only."""
    folder = tmp_path_factory.mktemp("tiny") / "base"
    write_model(folder, "Llama", hidden_size=64, intermediate_size=128, num_hidden_layers=2)
    write_tokenizer(folder)
    return folder


@pytest.fixture(scope="session")
def tiny_gguf(tiny_base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny base as a model file; read only."""
    gguf = tmp_path_factory.mktemp("gguf") / "adapter.gguf"
    export_gguf(tiny_base, gguf, "Q8_0", name="ada")
    return gguf


@pytest.fixture
def make_run(home: Home, tiny_base: Path) -> MakeRun:
    """Return a function that writes a run of ada without training; see tests/runs.py."""
    return partial(write_run, home, tiny_base)


@pytest.fixture(scope="session")
def embedded_model(tmp_path_factory: pytest.TempPathFactory) -> BaseModel:
    """The embedded model, unpacked once for all tests; read only."""
    return resolve("embedded", tmp_path_factory.mktemp("cache"))
