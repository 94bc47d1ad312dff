"""The client against a stand-in for Ollama, over real HTTP."""

from __future__ import annotations

import hashlib
import json
import socket
import threading
from collections.abc import Iterator, Mapping
from datetime import datetime
from http.client import HTTPConnection
from pathlib import Path

import pytest

from idiolect.curation import Message
from idiolect.dataset import load_chat_template
from idiolect.errors import NoOllama, OllamaRefused
from idiolect.export import export_gguf
from idiolect.serving import by_server, by_training, differences, go_template, load, ollama
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
    standing = ollama.models(there)
    assert standing["ada:new"] == standing["ada:latest"] != standing["ada:dual"]
    assert stand_in.manifests["ada:dual"]["system"] == "Think."
    assert ollama.delete(there, "ada:new")
    assert not ollama.delete(there, "ada:new")
    assert stand_in.model_of("ada:latest") == tiny_gguf.read_bytes()
    with pytest.raises(OllamaRefused, match='model "ada:new" not found'):
        ollama.copy(there, "ada:new", "ada:latest")


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("create refused", "unknown type"),
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
        assert not differences(trained, by_server(lambda t: ollama.rendered(there, "ada:bare", t), model, trained))
        assert state.manifests["ada:bare"]["template"].startswith("{{ range"), "it takes ChatML for its own"


def test_a_server_too_old_to_show_what_it_renders_is_not_understood_as_if_it_did(tiny_gguf: Path) -> None:
    with ollama_stand_in(version="0.5.7") as state:
        there = created(state, tiny_gguf)
        assert not there.shows_renderings
        with pytest.raises(OllamaRefused, match="does not say"):
            ollama.rendered(there, "ada:latest", HELLO)


def status(state: OllamaStandIn, method: str, path: str, body: bytes | Mapping[str, object]) -> tuple[int, bytes]:
    """Ask without our client; returns the answer's status and body."""
    encoded = body if isinstance(body, bytes) else json.dumps(body).encode()
    connection = HTTPConnection(state.address.removeprefix("http://"))
    connection.request(method, path, encoded)
    response = connection.getresponse()
    with response:
        answer = response.read()
    connection.close()
    return response.status, answer


def test_the_stand_in_does_as_real_servers_do(stand_in: OllamaStandIn, tiny_gguf: Path) -> None:
    """Each row of what was found with Ollama 0.32.14, and is not as one would think."""
    content, other = tiny_gguf.read_bytes(), "sha256:" + hashlib.sha256(b"GGUF?").hexdigest()
    blob, create, none = f"/api/blobs/{gguf_of(tiny_gguf)}", "/api/create", "sha256:" + 64 * "0"
    assert status(stand_in, "POST", blob, content)[0] == 201
    assert status(stand_in, "POST", blob, content)[0] == 200
    assert status(stand_in, "POST", f"/api/blobs/{none}", b"GGUF?")[0] == 400
    assert stand_in.blobs[other] == b"GGUF?"
    code, answer = status(stand_in, "POST", create, {"model": "ada:x", "files": {"a.gguf": none}})
    assert (code, b"no such file" in answer.splitlines()[-1]) == (200, True)
    code, answer = status(stand_in, "POST", create, {"model": "ada:x", "from": "ada:none"})
    assert (code, b"pull model manifest" in answer.splitlines()[-1]) == (200, True)
    stand_in.blobs[other] = b"?"
    code, answer = status(stand_in, "POST", create, {"model": "ada:x", "files": {"a.gguf": other}})
    assert (code, answer.splitlines()[0]) == (200, b'{"status": "parsing GGUF"}')
    assert b"not in GGUF format" in answer.splitlines()[1]
    made = {"model": "ada:x", "files": {"a.gguf": gguf_of(tiny_gguf)}}
    said = [json.loads(line)["status"] for line in status(stand_in, "POST", create, made)[1].splitlines()]
    assert {"verifying conversion", "using autodetected template chatml", "writing manifest", "success"} < {*said}
    assert any(line.startswith("creating new layer sha256:") for line in said)
    assert status(stand_in, "POST", create, {"model": "ada:y", "from": "ada:x", "template": "{{ if .X }}"})[0] == 400
    assert status(stand_in, "DELETE", "/api/delete", {"model": "-"})[0] == 400
    assert status(stand_in, "DELETE", "/api/delete", {"model": "ada:none"})[0] == 404
    assert ollama.delete(reached(stand_in), "ada:x")
    assert list(stand_in.blobs) == [other], "what was only sent stays"
    stand_in.restart()
    assert not stand_in.blobs


def test_a_file_in_another_order_is_stored_twice_and_deleted_once(stand_in: OllamaStandIn, tiny_gguf: Path) -> None:
    content = tiny_gguf.read_bytes().replace(b"general.file_type", b"general.pile_type")
    digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
    status(stand_in, "POST", f"/api/blobs/{digest}", content)
    there = reached(stand_in)
    ollama.create(there, "ada:x", files={"a.gguf": digest})
    assert len(stand_in.blobs) == 2
    assert ollama.delete(there, "ada:x")
    assert list(stand_in.blobs) == [digest]


def test_a_template_that_thinks_or_tells_the_date_is_seen_to_do_so(tiny_base: Path, tmp_path: Path) -> None:
    jinja = (
        "{{ date_string }}|{{ strftime_now('%Y') }}|{{ enable_thinking }}|<think></think>|{{ messages[-1].content }}"
    )
    export_gguf(tiny_base, tmp_path / "m.gguf", "Q8_0", name="ada", chat_template=jinja)
    with ollama_stand_in() as state:
        there = created(state, tmp_path / "m.gguf")
        ollama.create(there, "ada:go", **{"from": "ada:latest", "template": '{{ "no" }}'})
        for name in ("ada:latest", "ada:go"):
            date, year, thinks, _, said = ollama.rendered(there, name, HELLO).split("|")
            assert (date[-4:], year, thinks, said) == (f"{datetime.now():%Y}", f"{datetime.now():%Y}", "True", "Hello.")


def test_a_model_is_let_go_from_memory_before_its_name_is_deleted(stand_in: OllamaStandIn, tiny_gguf: Path) -> None:
    there = created(stand_in, tiny_gguf)
    ollama.rendered(there, "ada:latest", HELLO)
    assert stand_in.loaded == {"ada:latest"}
    assert ollama.delete(there, "ada:latest")
    assert not stand_in.loaded
    assert not ollama.delete(there, "ada:latest")
