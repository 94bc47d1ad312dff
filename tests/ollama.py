"""A stand-in for Ollama: its HTTP API over a real socket, in both eras, with the ways in which it fails.

It keeps manifests (name → layers) and blobs (digest → bytes) as Ollama does, renders a talk by the GGUF's own Jinja
or by a template of Go, and answers a chat with a fixed sentence: no model runs here.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import jinja2

#: How it fails, if it does: where, and in what way.
FAULTS = frozenset(
    {
        "create refused",  # the first object is an error: it is the reply's status
        "create fails late",  # an error inside a reply of status 200
        "create dies",  # the reply ends in the middle
        "chat fails",  # the model does not load
        "chat fails late",
        "chat dies",
        "disk full",  # while a file arrives: it answers, and hangs up without reading the rest
        "slow",
        "busy",
    }
)


@dataclass
class OllamaStandIn:
    """What the server holds; `renders` is a template of Go that it prefers to everything else."""

    version: str = "0.33.0"
    fault: str = ""
    renders: str = ""
    manifests: dict[str, dict[str, Any]] = field(default_factory=dict)
    blobs: dict[str, bytes] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    address: str = ""

    def since(self, *version: int) -> bool:
        return tuple(map(int, self.version.split("."))) >= version

    def model_of(self, name: str) -> bytes:
        """Return the GGUF that a name stands for."""
        return self.blobs[self.manifests[name]["model"]]

    def render(self, name: str, messages: Sequence[Mapping[str, str]]) -> str:
        manifest = self.manifests[name]
        if messages[0]["role"] != "system" and manifest.get("system"):
            messages = [{"role": "system", "content": manifest["system"]}, *messages]
        template, jinja = manifest.get("template", ""), chat_template(self.model_of(name))
        if self.renders:
            return render_go(self.renders, messages)
        if self.since(0, 30) and (not template or "tools" in jinja):
            compiled = jinja2.Template(jinja, trim_blocks=True, lstrip_blocks=True)
            return str(compiled.render(messages=messages, add_generation_prompt=True))
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
            models = [{"name": n, "model": n, "digest": m["model"]} for n, m in self.state.manifests.items()]
            self._json(200, {"models": models})
        else:
            self._json(404, {"error": "not found"})

    def do_DELETE(self) -> None:
        self.state.requests.append(f"DELETE {self.path}")
        name = self._body()["model"]
        if self.state.manifests.pop(name, None) is None:
            self._json(404, {"error": f"model '{name}' not found"})
        else:
            self._prune()
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
        if self.state.fault == "disk full":
            self._json(500, {"error": "write /root/.ollama/models/blobs/sha256-1: no space left on device"})
            return
        body = self.rfile.read(int(self.headers["Content-Length"]))
        found = f"sha256:{hashlib.sha256(body).hexdigest()}"
        if found != digest:
            self._json(400, {"error": f'digest mismatch, expected "{digest}", got "{found}"'})
            return
        self.state.blobs[digest] = body
        self._json(201, None)

    def _create(self, asked: Mapping[str, Any]) -> None:
        made, status, error = self._made(asked)
        if not re.fullmatch(r"[a-zA-Z0-9_][\w.-]{0,79}:[a-zA-Z0-9_][\w.-]{0,79}", asked["model"]):
            status, error = 400, "invalid model name"
        if self.state.fault == "create refused":
            status, error = 500, "supplied file was not in GGUF format"
        if error:
            self._json(status, {"error": error})
            return
        statuses = ["parsing GGUF", *(["validating GGUF model"] if self.state.since(0, 30) else []), "writing manifest"]
        self._begin()
        for said in statuses:
            self._line({"status": said})
            if self.state.fault == "slow":
                time.sleep(0.1)
        if self.state.fault == "create fails late":
            self._line({"error": "llama-quantize: no space left on device"})
        elif self.state.fault != "create dies":
            self.state.manifests[asked["model"]] = made
            self._prune()
            self._line({"status": "success"})

    def _made(self, asked: Mapping[str, Any]) -> tuple[dict[str, Any], int, str]:
        """Return the manifest that is asked for, or the status and the words of a refusal."""
        given = {k: asked[k] for k in ("system", "template", "parameters") if asked.get(k)}
        if "from" in asked:
            if asked["from"] not in self.state.manifests:
                return {}, 404, f"model '{asked['from']}' not found"
            return self.state.manifests[asked["from"]] | given, 200, ""
        if "files" not in asked:
            return {}, 400, "neither 'from' or 'files' was specified"
        ((path, digest),) = asked["files"].items()
        if path.startswith("/"):
            return {}, 400, "file path must be relative"
        if not self.state.blobs.get(digest, b"").startswith(b"GGUF"):
            return {}, 400, "supplied file was not in GGUF format"
        return {"model": digest, **given}, 200, ""

    def _copy(self, asked: Mapping[str, str]) -> None:
        if asked["source"] not in self.state.manifests:
            self._json(404, {"error": f'model "{asked["source"]}" not found'})
            return
        self.state.manifests[asked["destination"]] = self.state.manifests[asked["source"]]
        self._json(200, None)

    def _chat(self, asked: Mapping[str, Any]) -> None:
        name, fault = asked["model"], self.state.fault
        if name not in self.state.manifests:
            self._json(404, {"error": f"model '{name}' not found"})
        elif asked.get("_debug_render_only") and self.state.since(0, 12):
            text = self.state.render(name, asked["messages"])
            self._json(200, {"model": name, "_debug_info": {"rendered_template": text}})
        elif fault == "chat fails":
            self._json(500, {"error": "llama runner process has terminated: error loading model"})
        else:
            self._begin()
            self._line({"model": name, "message": {"role": "assistant", "content": "Wind west 5."}, "done": False})
            if fault == "chat fails late":
                self._line({"error": "an error was encountered while running the model"})
            elif fault != "chat dies":
                self._line({"model": name, "message": {"role": "assistant", "content": ""}, "done": True})

    def _prune(self) -> None:
        """Drop files that no name needs, as Ollama does when a name is overwritten or deleted."""
        needed = {manifest["model"] for manifest in self.state.manifests.values()}
        for digest in set(self.state.blobs) - needed:
            del self.state.blobs[digest]

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


def render_go(template: str, messages: Sequence[Mapping[str, str]]) -> str:
    """Render the part of Go's templates that ours are written in; .Prompt is the last message, of no role."""
    actions = re.findall(r'\{\{-?\s*((?:"(?:\\.|[^"\\])*"|[^"}])*?)\s*-?\}\}', template)
    assert "".join(f"{{{{ {a} }}}}" for a in actions) == template.replace("{{-", "{{"), "no text between actions"
    if actions == [".Prompt"]:
        return messages[-1]["content"]
    program, rest = _block(actions)
    assert not rest
    return _run(program, {"Messages": messages})


_Node = tuple[str, Any]


def _block(actions: Sequence[str]) -> tuple[list[_Node], Sequence[str]]:
    """Read actions up to the end of their block: (`say`|`set`|`range`|`if`, what) each."""
    nodes: list[_Node] = []
    while actions and actions[0] != "end" and not actions[0].startswith("else"):
        head, actions = actions[0], actions[1:]
        if head.startswith("range "):
            inner, actions = _block(actions)
            nodes.append(("range", inner))
            actions = actions[1:]
        elif head.startswith("if "):
            branches = [(head.removeprefix("if "), *_block(actions))]
            while branches[-1][2][0].startswith("else if "):
                after = branches[-1][2]
                branches.append((after[0].removeprefix("else if "), *_block(after[1:])))
            actions = branches[-1][2][1:]
            nodes.append(("if", [(condition, inner) for condition, inner, _ in branches]))
        else:
            nodes.append(("set" if "=" in head.split() or ":=" in head.split() else "say", head))
    return nodes, actions


def _run(nodes: Sequence[_Node], scope: dict[str, Any]) -> str:
    out = []
    for kind, what in nodes:
        if kind == "range":
            for message in scope["Messages"]:
                scope |= {".Role": message["role"], ".Content": message["content"]}
                out.append(_run(what, scope))
        elif kind == "if":
            held = [inner for condition, inner in what if _holds(condition, scope)]
            out.append(_run(held[0], scope) if held else "")
        elif kind == "set":
            variable, _, value = what.split()
            scope[variable] = _value(value, scope)
        else:
            out.append(_value(what, scope))
    return "".join(out)


def _holds(condition: str, scope: Mapping[str, Any]) -> bool:
    compare, left, right = condition.split()
    return (_value(left, scope) == _value(right, scope)) == (compare == "eq")


def _value(word: str, scope: Mapping[str, Any]) -> str:
    return str(json.loads(word) if word.startswith('"') else scope[word])


def gguf_of(path: Path) -> str:
    """Return the digest by which Ollama knows a file."""
    return f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"
