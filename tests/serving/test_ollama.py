"""The client against a stand-in for Ollama, over real HTTP."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from idiolect.curation import Message
from idiolect.dataset import load_chat_template
from idiolect.errors import NoOllama, OllamaRefused
from idiolect.serving import TALKS, by_server, by_training, differences, go_template, load, ollama
from tests.ollama import OllamaStandIn, gguf_of, ollama_stand_in

HELLO = [Message("user", "Hello.")]


@pytest.fixture
def stand_in() -> Iterator[OllamaStandIn]:
    with ollama_stand_in() as state:
        yield state


def reached(state: OllamaStandIn) -> ollama.Ollama:
    return ollama.reach({"OLLAMA_HOST": state.address})


def created(state: OllamaStandIn, gguf: Path, name: str = "ada:latest") -> ollama.Ollama:
    there = reached(state)
    ollama.create(there, name, files={gguf.name: ollama.push_file(there, gguf)})
    return there


@pytest.mark.parametrize(
    ("stated", "meant"),
    [
        ("", "http://127.0.0.1:11434"),
        ("0.0.0.0", "http://127.0.0.1:11434"),  # noqa: S104
        (":8080", "http://127.0.0.1:8080"),
        ("box.local", "http://box.local:11434"),
        ("http://box:1234/", "http://box:1234"),
        ("https://box.example", "https://box.example:443"),
        ("http://box", "http://box:80"),
        ("[::1]:9", "http://[::1]:9"),
        ("127.0.0.1:port", "http://127.0.0.1:11434"),
        ("https://box:99999", "https://box:443"),
    ],
)
def test_ollama_is_looked_for_where_ollama_itself_would(stated: str, meant: str) -> None:
    assert ollama.address({"OLLAMA_HOST": stated}) == meant


@pytest.mark.parametrize(
    ("person", "name"), [("ada", "ada:x"), ("Ada Løve/lace", "ada-l-ve-lace:x"), ("-.a", "a:x"), ("Ж", "person:x")]
)
def test_a_person_gets_a_name_that_ollama_takes(person: str, name: str) -> None:
    assert ollama.model_name(person, "x") == name


def test_a_file_is_sent_once_tried_and_known_by_all_its_names(stand_in: OllamaStandIn, tiny_gguf: Path) -> None:
    there = created(stand_in, tiny_gguf, "ada:new")
    assert there.renders_jinja
    assert there.here
    assert ollama.push_file(there, tiny_gguf) == gguf_of(tiny_gguf)
    assert sum(r.startswith("POST /api/blobs") for r in stand_in.requests) == 1
    assert ollama.chat(there, "ada:new", HELLO) == "Wind west 5."
    ollama.copy(there, "ada:new", "ada:latest")
    ollama.create(there, "ada:dual", **{"from": "ada:new", "system": "Think."})
    assert ollama.models(there) == dict.fromkeys(("ada:new", "ada:latest", "ada:dual"), gguf_of(tiny_gguf))
    assert stand_in.manifests["ada:dual"]["system"] == "Think."
    assert ollama.delete(there, "ada:new")
    assert not ollama.delete(there, "ada:new")
    assert stand_in.model_of("ada:latest") == tiny_gguf.read_bytes()
    with pytest.raises(OllamaRefused, match='model "ada:new" not found'):
        ollama.copy(there, "ada:new", "ada:latest")


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("create refused", "supplied file was not in GGUF format"),
        ("create fails late", "llama-quantize: no space left on device"),
        ("create dies", "stopped at 'writing manifest'"),
        ("disk full", "no space left on device"),
        ("busy", "server busy"),
    ],
)
def test_no_failure_to_create_passes_for_success(tiny_gguf: Path, fault: str, said: str) -> None:
    with ollama_stand_in() as state:
        before = created(state, tiny_gguf)
        state.blobs["sha256:other"] = b""
        state.fault = fault
        if fault == "disk full":
            state.blobs.clear()
        with pytest.raises(OllamaRefused, match=said) as refusal:
            created(state, tiny_gguf, "ada:new")
        assert refusal.value.exit_code == 1
        assert list(ollama.models(before)) == ["ada:latest"]


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("chat fails", "error loading model"),
        ("chat fails late", "encountered while running"),
        ("chat dies", "broke off in the middle"),
    ],
)
def test_no_failure_to_talk_passes_for_a_reply(tiny_gguf: Path, fault: str, said: str) -> None:
    with ollama_stand_in(fault=fault) as state:
        there = created(state, tiny_gguf)
        with pytest.raises(OllamaRefused, match=said):
            ollama.chat(there, "ada:latest", HELLO)


def test_a_slow_server_is_waited_for(tiny_gguf: Path) -> None:
    with ollama_stand_in(fault="slow") as state:
        there = created(state, tiny_gguf)
        assert "ada:latest" in ollama.models(there)


def test_whoever_does_not_answer_or_is_not_ollama_is_named() -> None:
    with pytest.raises(NoOllama, match=r"127\.0\.0\.1:9 does not answer: nothing listens there\."):
        ollama.reach({"OLLAMA_HOST": "127.0.0.1:9"})
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

        def hang_up() -> None:
            for reply in (b"", b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nsure"):
                connection, _ = listener.accept()
                connection.recv(1000)
                connection.sendall(reply)
                connection.close()

        thread = threading.Thread(target=hang_up)
        thread.start()
        with pytest.raises(NoOllama, match="does not answer"):
            ollama.reach({"OLLAMA_HOST": f"127.0.0.1:{port}"})
        with pytest.raises(NoOllama, match="is not Ollama"):
            ollama.reach({"OLLAMA_HOST": f"127.0.0.1:{port}"})
        thread.join()


@pytest.mark.parametrize("version", ["0.20.1", "0.33.0"])
def test_both_eras_render_what_training_saw(tiny_base: Path, tiny_gguf: Path, version: str) -> None:
    template = load_chat_template(tiny_base)
    trained = by_training(template, tiny_base / "tokenizer.json")
    written = go_template(template, tiny_base / "tokenizer.json")
    model = load(tiny_gguf, warm_up=False)
    with ollama_stand_in(version=version) as state:
        there = created(state, tiny_gguf, "ada:bare")
        files = {"adapter.gguf": gguf_of(tiny_gguf)}
        ollama.create(there, "ada:latest", files=files, template=written)
        assert not differences(trained, by_server(lambda t: ollama.rendered(there, "ada:latest", t), model, trained))
        bare = differences(trained, by_server(lambda t: ollama.rendered(there, "ada:bare", t), model, trained))
        assert len(bare) == (0 if there.renders_jinja else len(TALKS))


def test_a_server_too_old_to_show_what_it_renders_is_not_understood_as_if_it_did(tiny_gguf: Path) -> None:
    with ollama_stand_in(version="0.5.7") as state:
        there = created(state, tiny_gguf)
        assert not there.shows_renderings
        with pytest.raises(OllamaRefused, match="does not say"):
            ollama.rendered(there, "ada:latest", HELLO)
