"""Promise: what strangers have written is bounded: base models, patterns, those who write prompts, pipes, clocks."""

from __future__ import annotations

import json
import os
import shutil
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from idiolect.config import PromptWriter
from idiolect.curation import Message, Sample
from idiolect.curation.cleaning import clean, compiled
from idiolect.curation.prompt_writer import write_prompts
from idiolect.curation.sample import Source
from idiolect.errors import BaseModelFault, IdiolectError, MachineFault, OptionFault
from idiolect.home import FULL, Home
from idiolect.workflow.planning.estimate import estimate
from idiolect.workflow.planning.plan import Asked, plan
from tests.conftest import MakePerson
from tests.hostile.cases import cases


def edited(name: str, change: Callable[[dict[str, Any]], Any]) -> Callable[[Path], None]:
    """Alter a JSON file of a model."""

    def edit(folder: Path) -> None:
        content = json.loads((folder / name).read_text())
        changed = change(content)
        (folder / name).write_text(json.dumps(content if changed is None else changed))

    return edit


def config(**changed: Any) -> Callable[[Path], None]:
    return edited("config.json", lambda content: content.update(changed))


def tokenizer(**changed: Any) -> Callable[[Path], None]:
    return edited("tokenizer.json", lambda content: content.update(changed))


def index(weight_map: Any) -> Callable[[Path], None]:
    def write(folder: Path) -> None:
        (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": weight_map}))

    return write


def written(name: str, content: bytes) -> Callable[[Path], None]:
    def write(folder: Path) -> None:
        (folder / name).write_bytes(content)

    return write


MODELS: dict[str, Callable[[Path], None]] = {
    "weight_map is a list": index(["model.safetensors"]),
    "weight_map is null": index(None),
    "weight_map is a text": index("model.safetensors"),
    "weight_map has numbers": index({"a": 5}),
    "weight_map leads elsewhere": index({"a": "../../model.safetensors"}),
    "architectures is a number": config(architectures=5),
    "architectures is an object": config(architectures={"a": 1}),
    "architectures has objects": config(architectures=[{}]),
    "layers without end": config(num_hidden_layers=10**9),
    "layers that are a text": config(num_hidden_layers="two"),
    "no heads": config(num_attention_heads=0),
    "negative heads": config(num_key_value_heads=-2),
    "a vocabulary without end": config(vocab_size=10**12),
    "a width that is true": config(hidden_size=True),
    "text_config is a list": config(text_config=[1]),
    "model_type is a number": config(model_type=5),
    "vocab is a list of nothing": tokenizer(model={"type": "BPE", "vocab": [], "merges": []}),
    "vocab is a number": tokenizer(model={"type": "BPE", "vocab": 5, "merges": []}),
    "no model": tokenizer(model=None),
    "an added token with a number": tokenizer(added_tokens=[{"id": 1, "content": 5}]),
    "added tokens that are a text": tokenizer(added_tokens="no"),
    "config nested without end": written("config.json", b'{"a":' * 100_000),
    "tokenizer nested without end": written("tokenizer.json", b"[" * 100_000),
    "tokenizer settings nested without end": written("tokenizer_config.json", b'{"a":' * 100_000),
    "config of zeros": written("config.json", bytes(4096)),
    "an adapter beside the model": written("adapter_config.json", b'{"peft_type": "LORA"}'),
    "merges that are a number": edited("tokenizer.json", lambda c: c["model"].update(merges=5)),
    "rope that is a text": config(rope_scaling="yes", rope_parameters="yes"),
    "an epsilon that is a list": config(rms_norm_eps=[1]),
}


@pytest.mark.parametrize("malformed", cases(MODELS, 9))
def test_a_malformed_base_model_is_refused_before_anything_begins(
    home: Home, make_person: MakePerson, talks: list[dict[str, Any]], tiny_base: Path, malformed: Callable[[Path], None]
) -> None:
    base = home.root.with_name("base")
    shutil.copytree(tiny_base, base)
    malformed(base)
    make_person("ada", talks, base_model=str(base))
    began = time.monotonic()
    with pytest.raises(BaseModelFault):
        plan(home, Asked("ada", {}, {}), FULL)
    with suppress(IdiolectError):
        estimate(home, Asked("ada", {}, {}), None, lambda _: 1e9)
    assert time.monotonic() - began < 20


@pytest.mark.parametrize("pattern", [r"^(a+)+$", r"^(\w+\s?)*$", r"(?:x|x)*y", r"^(([a-z])+.)+[A-Z]([a-z])+$"])
def test_a_pattern_that_would_take_for_ever_is_named(pattern: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("idiolect.config.patterns._SECONDS", 0.3)
    fillers = compiled([pattern])
    texts = ("a" * 40 + "!", "word " * 30 + "!", "x" * 4000, "a" * 60)
    began = time.monotonic()
    named = []
    for text in texts:
        try:
            clean(text, fillers)
        except OptionFault as fault:
            named.append(fault.problem)
    assert all(pattern in problem for problem in named)
    assert time.monotonic() - began < 5


def test_who_writes_prompts_and_never_ends_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("idiolect.curation.prompt_writer._TIMEOUT_SECONDS", 1.0)
    sample = Sample(
        id="a",
        mode="emulation",
        messages=(Message("system", "s"), Message("user", "?"), Message("assistant", "a text")),
        source=Source(
            memory="m", type="journal", timestamp=None, conversation=None, mode_from="", prompt_from="invented"
        ),
    )
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def trickle() -> None:
            there, _ = listening.accept()
            with there:
                there.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n")
                try:
                    while True:
                        there.sendall(b" ")
                        time.sleep(0.05)
                except OSError:
                    return

        threading.Thread(target=trickle, daemon=True).start()
        began = time.monotonic()
        writer = PromptWriter(url=f"http://127.0.0.1:{listening.getsockname()[1]}/v1", model="m")
        with pytest.raises(MachineFault, match="does not answer"):
            write_prompts([sample], writer)
        assert time.monotonic() - began < 10


def test_a_pipe_in_place_of_an_export_is_not_waited_for(tmp_path: Path) -> None:
    from tests.hostile.command import assert_two_lines, idiolect

    os.mkfifo(tmp_path / "messages.csv")
    done = idiolect("import", "plain", tmp_path / "messages.csv", "-u", "ada", home=tmp_path / "home", seconds=30)
    assert_two_lines(done)
