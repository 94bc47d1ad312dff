"""Questions written by a model: a stand-in over a real socket here, llama.cpp's own server in the slow test."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from idiolect.bases.embedded import packaged_gguf
from idiolect.config import CurationRules, Options, PromptWriter
from idiolect.curation import Sample, curate, write_prompts
from idiolect.curation.prompt_writer import _completion
from idiolect.errors import MachineFault
from idiolect.memories import Memory, Turn
from idiolect.serving import load

ANSWERS = {"Rain.": ' "What falls?" ', "Snow.": "x" * 300, "Hail.": "Two\nlines?", "Fog.": ""}


class Stand(BaseHTTPRequestHandler):
    """Answers POST /v1/chat/completions in the shape of OpenAI's API."""

    asked: list[dict[str, Any]] = []  # noqa: RUF012

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.asked.append(body)
        text = next(a for q, a in ANSWERS.items() if body["messages"][0]["content"].endswith(q))
        reply = json.dumps({"choices": [{"message": {"role": "assistant", "content": text}}]}).encode()
        self.send_response(200 if self.path == "/v1/chat/completions" else 404)
        self.end_headers()
        self.wfile.write(reply)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def address() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Stand)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/v1"
    server.shutdown()
    thread.join()
    server.server_close()


def samples() -> list[Sample]:
    memories = [Memory(source=text, type="journal", turns=(Turn("person", text),)) for text in ANSWERS]
    memories.append(Memory(source="talk", type="chat", turns=(Turn("other", "Hi?"), Turn("person", "Hello."))))
    return curate(memories, Options(), CurationRules()).samples


def test_what_is_a_question_replaces_ours_and_what_is_none_does_not(address: str) -> None:
    before = samples()
    after = write_prompts(before, PromptWriter(url=address, model="small"))
    asked = {s.source.memory: s.messages[0].content for s in after}
    ours = {s.source.memory: s.messages[0].content for s in before}
    assert asked == ours | {"Rain.": "What falls?"}
    assert [s.own_words for s in after] == [s.own_words for s in before]
    assert {body["model"] for body in Stand.asked} == {"small"}


def test_a_model_that_does_not_answer_is_named() -> None:
    with pytest.raises(MachineFault, match=r"does not answer at http://127\.0\.0\.1:9"):
        write_prompts(samples(), PromptWriter(url="http://127.0.0.1:9/v1", model="small"))


@pytest.mark.slow
def test_a_real_server_is_understood(monkeypatch: pytest.MonkeyPatch) -> None:
    model = load(packaged_gguf())
    monkeypatch.setenv("OPENAI_API_KEY", model.key)
    writer = PromptWriter(url=f"{model.server.listening_address}/v1", model="any")
    assert _completion(writer, "Say hello.").strip()
    memory = Memory(source="a", type="journal", turns=(Turn("person", "The cat broke the blue vase."),))
    (sample,) = curate([memory], Options(), CurationRules()).samples
    (written,) = write_prompts([sample], writer)
    # So small a model may write no question at all; ours is kept then.
    assert written.messages[0].content.endswith("?")
    assert written.messages[1] == sample.messages[1]
