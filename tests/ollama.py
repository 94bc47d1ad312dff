"""A stand-in for Ollama: its HTTP API over a real socket, in both eras, with the ways in which it fails.

It keeps manifests (name → layers) and blobs (digest → bytes of a model) as Ollama does, renders a talk by the GGUF's
own Jinja or by a template of Go, and answers a chat with a fixed sentence: no model runs here. Where it was found to
differ from real servers (0.11.11, 0.24.0, 0.32.14) it does as they do; what it cannot show is said in docs/serving.md.
"""

from __future__ import annotations

import hashlib
import json
import re
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import gguf

from tests.ollama_templates import bad_template, detected, render_go, render_jinja, shows_more

#: How it fails, if it does: where, and in what way.
FAULTS = frozenset(
    {
        "create refused",  # the first object is an error: it is the reply's status
        "create fails late",  # an error inside a reply of status 200
        "create dies",  # the reply ends in the middle
        "chat fails",  # the model does not load
        "chat fails late",
        "chat dies",
        "copy fails",
        "delete fails",
        "disk full",  # while a file arrives: it answers, and hangs up without reading the rest
        "slow",
        "busy",
    }
)
_NAME = r"[a-zA-Z0-9_][\w.-]{0,79}:[a-zA-Z0-9_][\w.-]{0,79}"
_CHATML = '{{ range .Messages }}{{ "<|im_start|>" }}{{ .Role }}{{ "\\n" }}{{ .Content }}{{ "<|im_end|>\\n" }}{{ end }}'

Event = Mapping[str, Any]


@dataclass
class OllamaStandIn:
    """What the server holds; `renders` is a template of Go that it prefers to everything else."""

    version: str = "0.33.0"
    fault: str = ""
    renders: str = ""
    manifests: dict[str, dict[str, Any]] = field(default_factory=dict)
    blobs: dict[str, bytes] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    loaded: set[str] = field(default_factory=set)
    """The models in memory, by the name that loaded them; a name that is deleted leaves its model there."""
    address: str = ""

    def since(self, *version: int) -> bool:
        return tuple(map(int, self.version.split("."))) >= version

    def model_of(self, name: str) -> bytes:
        """Return the GGUF that a name stands for."""
        return self.blobs[self.manifests[name]["model"]]

    def digest(self, name: str) -> str:
        """Return the digest of a name's manifest, by which /api/tags knows it."""
        return hashlib.sha256(json.dumps(self.manifests[name], sort_keys=True).encode()).hexdigest()

    def forget(self, manifest: Mapping[str, Any] | None) -> None:
        """Drop the file of a manifest that is gone, if no other needs it; what was only sent stays."""
        needed = {other["model"] for other in self.manifests.values()}
        if manifest and manifest["model"] not in needed:
            self.blobs.pop(manifest["model"], None)

    def restart(self) -> None:
        """Drop all that no name needs, as a server does that begins, with what was sent more than an hour before."""
        needed = {manifest["model"] for manifest in self.manifests.values()}
        self.blobs = {digest: content for digest, content in self.blobs.items() if digest in needed}
        self.loaded = set()

    def render(self, name: str, messages: Sequence[Mapping[str, str]]) -> str:
        manifest = self.manifests[name]
        if messages[0]["role"] != "system" and manifest.get("system"):
            messages = [{"role": "system", "content": manifest["system"]}, *messages]
        template, jinja = manifest.get("template", ""), chat_template(self.model_of(name))
        if self.renders:
            return render_go(self.renders, messages)
        if self.since(0, 30) and (not template or shows_more(jinja, template)):
            return render_jinja(jinja, messages)
        return render_go(template or "{{ .Prompt }}", messages)


@contextmanager
def ollama_stand_in(**how: Any) -> Iterator[OllamaStandIn]:
    """Run a stand-in on a port of its own."""
    state = OllamaStandIn(**how)
    assert not state.fault or state.fault in FAULTS
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"state": state}))
    server.daemon_threads = True
    state.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    state: OllamaStandIn

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    def do_HEAD(self) -> None:
        self.state.requests.append(f"HEAD {self.path}")
        digest = self.path.removeprefix("/api/blobs/")
        well_formed = re.fullmatch(r"sha256:[0-9a-f]{64}", digest)
        self.send_response(400 if not well_formed else 200 if digest in self.state.blobs else 404)
        self.end_headers()

    def do_GET(self) -> None:
        self.state.requests.append(f"GET {self.path}")
        if self.path == "/api/version":
            self._json(200, {"version": self.state.version})
        elif self.path == "/api/tags":
            models = [{"name": n, "model": n, "digest": self.state.digest(n)} for n in self.state.manifests]
            self._json(200, {"models": models})
        else:
            self._json(404, {"error": "not found"})

    def do_DELETE(self) -> None:
        self.state.requests.append(f"DELETE {self.path}")
        name = self._body()["model"]
        if not re.fullmatch(_NAME, name):
            self._json(400, {"error": f'name "{name}" is invalid'})
        elif self.state.fault == "delete fails":
            self._json(500, {"error": "remove /root/.ollama/models/manifests: read-only file system"})
        elif name not in self.state.manifests:
            self._json(404, {"error": f"model '{name}' not found"})
        else:
            self.state.forget(self.state.manifests.pop(name))
            self._json(200, None)

    def do_POST(self) -> None:
        self.state.requests.append(f"POST {self.path}")
        if self.state.fault == "busy":
            self._json(503, {"error": "server busy, please try again.  maximum pending requests exceeded"})
        elif self.path.startswith("/api/blobs/"):
            self._blob(self.path.removeprefix("/api/blobs/"))
        else:
            answer = {"/api/create": self._create, "/api/copy": self._copy, "/api/chat": self._chat}
            answer[self.path](self._body())

    def _blob(self, digest: str) -> None:
        if not re.fullmatch(r"sha256:[0-9a-f]{64}", digest):
            self._json(400, {"error": "invalid digest format"})
            return
        if digest in self.state.blobs:
            self._json(200, None)
            return
        if self.state.fault == "disk full":
            self._json(500, {"error": "write /root/.ollama/models/blobs/sha256-1: no space left on device"})
            return
        body = self.rfile.read(int(self.headers["Content-Length"]))
        found = f"sha256:{hashlib.sha256(body).hexdigest()}"
        self.state.blobs[found] = body
        if found != digest:
            self._json(400, {"error": f'digest mismatch, expected "{digest}", got "{found}"'})
        else:
            self._json(201, None)

    def _create(self, asked: Mapping[str, Any]) -> None:
        """Answer with one object a line; an error that comes before any of them is the answer's status."""
        began = False
        for event in self._making(asked):
            if "error" in event and not began:
                self._json(event.get("code", 500), {"error": event["error"]})
                return
            if not began:
                self._begin()
                began = True
            self._line(event)
            if self.state.fault == "slow":
                time.sleep(0.1)

    def _making(self, asked: Mapping[str, Any]) -> Iterator[Event]:
        name, state = asked["model"], self.state
        if any(path.startswith("/") for path in asked.get("files", ())):
            yield {"error": "file path must be relative", "code": 400}
            return
        if not re.fullmatch(_NAME, name):
            yield {"error": "invalid model name", "code": 400}
            return
        if state.fault == "create refused":
            yield {"error": "unknown type", "code": 400}
            return
        made: dict[str, Any] = {}
        for event in self._base(asked, made):
            yield event
            if "error" in event:
                return
        given = {key: asked[key] for key in ("system", "template") if asked.get(key)}
        if "template" in given and (bad := bad_template(given["template"])):
            yield {"error": f"template error: {bad}", "code": 400}
            return
        parameters = made.get("parameters", {}) | asked.get("parameters", {})
        made = made | given | ({"parameters": parameters} if parameters else {})
        for layer in (made["model"], *given):
            known = layer in {old["model"] for old in state.manifests.values()}
            yield {"status": f"{'using existing' if known else 'creating new'} layer {layer}"}
        yield {"status": "writing manifest"}
        if state.fault == "create fails late":
            yield {"error": "llama-quantize: no space left on device"}
        elif state.fault != "create dies":
            before, state.manifests[name] = state.manifests.get(name), made
            state.forget(before)
            yield {"status": "success"}

    def _base(self, asked: Mapping[str, Any], made: dict[str, Any]) -> Iterator[Event]:
        """Put into `made` what a model is made of: another one, or a file that was sent."""
        state = self.state
        if "from" in asked:
            if asked["from"] not in state.manifests:
                yield {"status": "pulling manifest"}
                yield {"error": "pull model manifest: file does not exist"}
                return
            made.update(state.manifests[asked["from"]])
            return
        if "files" not in asked:
            yield {"error": "neither 'from' or 'files' was specified", "code": 400}
            return
        ((path, digest),) = asked["files"].items()
        content = state.blobs.get(digest, b"")
        if not path.endswith(".gguf") and not content.startswith(b"GGUF"):
            yield {"error": "unknown type", "code": 400}
            return
        yield {"status": "parsing GGUF"}
        if digest not in state.blobs:
            yield {"error": f"open /root/.ollama/models/blobs/{digest.replace(':', '-')}: no such file or directory"}
            return
        if not content.startswith(b"GGUF"):
            yield {"error": "supplied file was not in GGUF format"}
            return
        if detected(chat_template(content)):
            made["template"] = _CHATML + '{{ "<|im_start|>assistant\\n" }}'
            made["parameters"] = {"stop": ["<|im_start|>", "<|im_end|>"]}
        if state.since(0, 30):
            yield {"status": "validating GGUF model", "digest": "0", "total": len(content), "completed": len(content)}
            yield {"status": "verifying conversion"}
            content = copied(content)
            digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
            state.blobs[digest] = content
        if "template" in made:
            yield {"status": "using autodetected template chatml"}
        made["model"] = digest

    def _copy(self, asked: Mapping[str, str]) -> None:
        invalid = [what for what in ("source", "destination") if not re.fullmatch(_NAME, asked[what])]
        if invalid:
            self._json(400, {"error": f'{invalid[0]} "{asked[invalid[0]]}" is invalid'})
        elif self.state.fault == "copy fails":
            self._json(500, {"error": "open /root/.ollama/models/manifests: read-only file system"})
        elif asked["source"] not in self.state.manifests:
            self._json(404, {"error": f'model "{asked["source"]}" not found'})
        else:
            # What the destination stood for before is not looked after: its file stays.
            self.state.manifests[asked["destination"]] = self.state.manifests[asked["source"]]
            self._json(200, None)

    def _chat(self, asked: Mapping[str, Any]) -> None:
        name, fault = asked["model"], self.state.fault
        if name not in self.state.manifests:
            self._json(404, {"error": f"model '{name}' not found"})
        elif not asked["messages"] and asked.get("keep_alive") == 0:
            self.state.loaded.discard(name)
            message = {"role": "assistant", "content": ""}
            self._json(200, {"model": name, "message": message, "done": True, "done_reason": "unload"})
        elif fault == "chat fails":
            self._json(500, {"error": "llama runner process has terminated: error loading model"})
        elif asked.get("_debug_render_only") and self.state.since(0, 11, 11):
            self.state.loaded.add(name)
            text = self.state.render(name, asked["messages"])
            self._json(200, {"model": name, "_debug_info": {"rendered_template": text}})
        else:
            self._says(name, fault, stays=asked.get("keep_alive") != 0)

    def _says(self, name: str, fault: str, *, stays: bool) -> None:
        self.state.loaded.add(name)
        self._begin()
        self._line({"model": name, "message": {"role": "assistant", "content": "Wind west 5."}, "done": False})
        if fault == "chat fails late":
            self._line({"error": "an error was encountered while running the model"})
        elif fault != "chat dies":
            if not stays:
                self.state.loaded.discard(name)
            self._line({"model": name, "message": {"role": "assistant", "content": ""}, "done": True})

    def _body(self) -> Any:
        return json.loads(self.rfile.read(int(self.headers["Content-Length"])))

    def _json(self, status: int, answer: Any) -> None:
        body = b"" if answer is None else json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _begin(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/x-ndjson")
        self.end_headers()

    def _line(self, event: Mapping[str, Any]) -> None:
        self.wfile.write(json.dumps(event).encode() + b"\n")


def chat_template(gguf: bytes) -> str:
    """Read tokenizer.chat_template out of a GGUF: a key, type 8 (string), a length, and the text."""
    key = b"tokenizer.chat_template" + (8).to_bytes(4, "little")
    start = gguf.index(key) + len(key)
    length = int.from_bytes(gguf[start : start + 8], "little")
    return gguf[start + 8 : start + 8 + length].decode()


@cache
def copied(content: bytes) -> bytes:
    """Return what `llama-quantize COPY` makes of a file: the same if it is in that order already, else another one.

    The other one is not in the right order either, here: only that it is another is shown.
    """
    with tempfile.NamedTemporaryFile(suffix=".gguf") as file:
        file.write(content)
        file.flush()
        reader = gguf.GGUFReader(file.name)
        keys, names = list(reader.fields), [tensor.name for tensor in reader.tensors]
    layers = [int(name.split(".")[1]) if name.startswith("blk.") else -1 for name in names]
    ordered = [name for _, name in sorted(zip(layers, names, strict=True))]
    last = ["general.quantization_version", "general.file_type"]
    return content if keys[-2:] == last and names == ordered else content + b"copied"


def gguf_of(path: Path) -> str:
    """Return the digest by which Ollama knows a file."""
    return f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"
