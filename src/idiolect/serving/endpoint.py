"""An endpoint like OpenAI's for the programs on this computer: /v1/models and /v1/chat/completions, streaming or not.

It listens on the loopback address. A web page that a browser of this computer shows could still reach it, by a name
that it lets point here or from its own address; so a request must name this computer, and come from it.

Format: platform.openai.com/docs/api-reference/chat. What a request asks for beyond that is handed on to llama.cpp.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from idiolect.errors import IdiolectError
from idiolect.serving.in_process import Model, load
from idiolect.serving.sampling import Sampling

_HERE = frozenset({"127.0.0.1", "localhost", "::1"})
#: Bytes of a request; a talk that fills the context many times over has fewer.
_LARGEST = 8_000_000


@dataclass(frozen=True)
class Offered:
    """A model as it is offered: its file, and the system message of a talk that brings none of its own."""

    gguf: Path
    system: str


Offer = Callable[[], Mapping[str, Offered]]


@dataclass
class Shelf:
    """The models in memory: each file once, loaded when first asked for, let go when offered no longer."""

    loaded: dict[Path, Model] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def get(self, offered: Mapping[str, Offered], gguf: Path) -> Model:
        with self.lock:
            for path in set(self.loaded) - {o.gguf for o in offered.values()}:
                del self.loaded[path]
            if gguf not in self.loaded:
                self.loaded[gguf] = load(gguf)
            return self.loaded[gguf]


class Refused(Exception):
    """A request that is answered with an error."""

    def __init__(self, status: int, message: str, code: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.error = {"message": message, "type": "invalid_request_error", "param": None, "code": code}


def endpoint(offer: Offer, port: int) -> ThreadingHTTPServer:
    """Return a server, listening; `offer` is asked at each request, so that what is published next is served next.

    Raises OSError if the port is taken; 0 takes any.
    """
    shelf = Shelf()

    class Endpoint(_Endpoint):
        def offered(self) -> Mapping[str, Offered]:
            return offer()

        def model(self, offered: Mapping[str, Offered], gguf: Path) -> Model:
            return shelf.get(offered, gguf)

    server = ThreadingHTTPServer(("127.0.0.1", port), Endpoint)
    server.daemon_threads = True
    return server


class _Endpoint(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "idiolect"
    timeout = 60

    def offered(self) -> Mapping[str, Offered]:
        raise NotImplementedError

    def model(self, offered: Mapping[str, Offered], gguf: Path) -> Model:
        raise NotImplementedError

    def do_OPTIONS(self) -> None:
        self._answer(self._preflight)

    def do_GET(self) -> None:
        self._answer(self._list)

    def do_POST(self) -> None:
        self._answer(self._complete)

    def log_message(self, *_: Any) -> None:
        """Keep silent: what is asked is the person's own."""

    def _answer(self, how: Callable[[], None]) -> None:
        try:
            self._check_sender()
            how()
        except Refused as refusal:
            self.close_connection = True  # what else it sent is not read
            self._send(refusal.status, {"error": refusal.error})
        except IdiolectError as error:
            self._send(503, {"error": {"message": str(error), "type": "server_error", "param": None, "code": None}})
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def _check_sender(self) -> None:
        """Refuse what does not name this computer, or comes from a page of another."""
        if urlsplit(f"//{self.headers.get('Host', '')}").hostname not in _HERE:
            raise Refused(403, "This endpoint answers to 127.0.0.1 and localhost only.")
        origin = self.headers.get("Origin")
        if origin is not None and urlsplit(origin).hostname not in _HERE:
            raise Refused(403, "This endpoint answers programs and pages of this computer only.")

    def _preflight(self) -> None:
        self.send_response(204)
        self._allow_origin()
        self.send_header("Access-Control-Allow-Methods", "GET, POST")
        self.send_header("Access-Control-Allow-Headers", "Authorization, Content-Type")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _list(self) -> None:
        path, names = urlsplit(self.path).path, self.offered()
        if path == "/v1/models":
            self._send(200, {"object": "list", "data": [_description(name) for name in names]})
        elif path.startswith("/v1/models/"):
            self._send(200, _description(_known(unquote(path.removeprefix("/v1/models/")), names)))
        else:
            raise Refused(404, f"There is nothing at {path}.")

    def _complete(self) -> None:
        asked, names = self._body(), self.offered()
        if urlsplit(self.path).path != "/v1/chat/completions":
            raise Refused(404, f"There is nothing at {self.path}.")
        name = _known(str(asked.get("model", "")), names)
        request = _completed(asked, names[name].system)
        model = self.model(names, names[name].gguf)
        try:
            if request.get("stream"):
                self._stream(model, name, request)
            else:
                answer = model.server.handle_chat_completions(request)
                self._send(_status(answer), {**answer, "model": name} if "error" not in answer else answer)
        except (ValueError, RuntimeError) as error:  # how llama.cpp refuses a request
            raise Refused(400, str(error)) from error

    def _stream(self, model: Model, name: str, request: Mapping[str, Any]) -> None:
        """Send server-sent events as they come; whoever hangs up ends the reply."""
        begun = False

        def heard(chunk: dict[str, Any]) -> bool:
            nonlocal begun
            try:
                if "error" in chunk and not begun:
                    self._send(_status(chunk), chunk)
                    return True
                if not begun:
                    self._begin_events()
                    begun = True
                self._event(json.dumps({**chunk, "model": name} if "error" not in chunk else chunk))
            except OSError:
                return True
            return False

        model.server.handle_chat_completions(request, heard)
        if begun:
            self._event("[DONE]")

    def _begin_events(self) -> None:
        self.send_response(200)
        self._allow_origin()
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Cache-Control", "no-cache")
        self.send_header("Connection", "close")
        self.end_headers()

    def _event(self, data: str) -> None:
        self.wfile.write(f"data: {data}\n\n".encode())

    def _body(self) -> dict[str, Any]:
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > _LARGEST:
            self.close_connection = True
            raise Refused(413 if length.isdecimal() else 411, f"Send a Content-Length of at most {_LARGEST:,}.")
        body = self.rfile.read(int(length))
        if self.headers.get_content_type() != "application/json":
            raise Refused(415, "Send application/json.")
        try:
            asked = json.loads(body)
        except ValueError as error:
            raise Refused(400, f"This is not JSON: {error}") from error
        if not isinstance(asked, dict):
            raise Refused(400, "Send a JSON object.")
        return asked

    def _send(self, status: int, answer: Any) -> None:
        body = json.dumps(answer).encode()
        self.send_response(status)
        self._allow_origin()
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def _allow_origin(self) -> None:
        origin = self.headers.get("Origin")
        if origin is not None and urlsplit(origin).hostname in _HERE:
            self.send_header("Access-Control-Allow-Origin", origin)
            self.send_header("Vary", "Origin")


def _known(name: str, names: Mapping[str, Offered]) -> str:
    """Return the name as it is offered; without a tag it is the latest."""
    full = name if ":" in name else f"{name}:latest"
    if full not in names:
        raise Refused(404, f"There is no model {name!r}. Offered: {', '.join(names) or 'none'}.", "model_not_found")
    return full


def _description(name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": int(time.time()), "owned_by": "idiolect"}


def _completed(asked: Mapping[str, Any], system: str) -> dict[str, Any]:
    """Return a request for llama.cpp: with the model's system message and our sampling, unless it has its own."""
    messages = asked.get("messages")
    if not isinstance(messages, list) or not messages or not all(isinstance(m, dict) for m in messages):
        raise Refused(400, "`messages` must be a list of messages, not an empty one.")
    messages = [{**m, "role": "system"} if m.get("role") == "developer" else m for m in messages]
    if system and messages[0].get("role") != "system":
        messages = [{"role": "system", "content": system}, *messages]
    ours = {key: value for key, value in Sampling().request().items() if key != "seed"}
    given = {key: value for key, value in asked.items() if value is not None}
    if "max_completion_tokens" in given:
        given["max_tokens"] = given.pop("max_completion_tokens")
    return {**ours, **given, "messages": messages}


def _status(answer: Mapping[str, Any]) -> int:
    return int(answer["error"].get("code", 500)) if "error" in answer else 200
