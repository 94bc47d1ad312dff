"""An endpoint like OpenAI's for the programs on this computer: /v1/models and /v1/chat/completions, streaming or not.

It listens on the loopback address. A web page that a browser of this computer shows could still reach it, by a name
that it lets point here or from its own address; so a request must name this computer, and come from it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from idiolect.errors import IdiolectError, UserFault
from idiolect.serving.bounded_http import BoundedHandler, BoundedServer, Refused
from idiolect.serving.conversation import askable
from idiolect.serving.in_process import Model, as_objects
from idiolect.serving.openai_request import Completion, check_length, read_completion, whole_answer
from idiolect.serving.shelf import Shelf

_HERE = frozenset({"127.0.0.1", "localhost", "::1"})


@dataclass(frozen=True)
class Offered:
    """A model as it is offered: its file, the system message of a conversation without one, and the tokens it holds."""

    gguf: Path
    system: str
    context: int


Offer = Callable[[], Mapping[str, Offered]]


def endpoint(offer: Offer, port: int) -> ThreadingHTTPServer:
    """Return a server, listening; `offer` is asked at each request, so that what is published next is served next.

    Raises OSError if the port is taken; 0 takes any.
    """
    shelf = Shelf()

    class Endpoint(_Endpoint):
        def offered(self) -> Mapping[str, Offered]:
            return offer()

        def model(self, one: Offered, all_offered: Iterable[Offered]) -> Model:
            shelf.keep({other.gguf for other in all_offered})
            return shelf.get(one.gguf, one.context)

    return BoundedServer(("127.0.0.1", port), Endpoint)


class _Endpoint(BoundedHandler):
    def offered(self) -> Mapping[str, Offered]:
        raise NotImplementedError

    def model(self, one: Offered, all_offered: Iterable[Offered]) -> Model:
        raise NotImplementedError

    def do_OPTIONS(self) -> None:  # noqa: N802 - as http.server calls it
        self.answer(lambda: self._if_from_here(self._preflight))

    def do_GET(self) -> None:  # noqa: N802
        self.answer(lambda: self._if_from_here(self._list))

    def do_POST(self) -> None:  # noqa: N802
        self.answer(lambda: self._if_from_here(self._complete))

    def _if_from_here(self, how: Callable[[], None]) -> None:
        """Refuse what does not name this computer, or comes from a page of another."""
        if _hostname(f"//{self.headers.get('Host', '')}") not in _HERE:
            raise Refused(403, "This endpoint answers to 127.0.0.1 and localhost only.")
        origin = self.headers.get("Origin")
        if origin is not None and _hostname(origin) not in _HERE:
            raise Refused(403, "This endpoint answers programs and pages of this computer only.")
        try:
            how()
        except IdiolectError as error:  # a registry or a model file that cannot be read
            raise Refused(503, str(error), kind="server_error") from error

    def own_headers(self) -> Mapping[str, str]:
        """Let a page of this computer read the answer."""
        origin = self.headers.get("Origin") if hasattr(self, "headers") else None
        if origin is None or _hostname(origin) not in _HERE:
            return {}
        return {"Access-Control-Allow-Origin": origin, "Vary": "Origin"}

    def _preflight(self) -> None:
        allowed = {"Access-Control-Allow-Methods": "GET, POST"}
        self.begin(204, {**allowed, "Access-Control-Allow-Headers": "Authorization, Content-Type"}, length=0)

    def _path(self) -> str:
        try:
            return urlsplit(self.path).path
        except ValueError as error:
            raise Refused(400, f"This is no path: {error}.") from error

    def _list(self) -> None:
        path, names = self._path(), self.offered()
        if path == "/v1/models":
            self.send(200, {"object": "list", "data": [_description(name) for name in names]})
        elif path.startswith("/v1/models/"):
            self.send(200, _description(_known(unquote(path.removeprefix("/v1/models/")), names)))
        else:
            raise Refused(404, f"There is nothing at {path}.")

    def _complete(self) -> None:
        if self._path() != "/v1/chat/completions":
            raise Refused(404, f"There is nothing at {self.path}.")
        body = self.body()
        try:
            asked = read_completion(body)
        except UserFault as fault:
            raise Refused(400, fault.problem) from fault
        names = self.offered()
        name = _known(asked.model, names)
        model = self.model(names[name], names.values())
        try:
            request = _request(model, asked, names[name].system)
            if asked.stream:
                self._stream(model, name, request)
            else:
                self._whole(model, name, request)
        except UserFault as fault:
            raise Refused(400, fault.problem) from fault
        except (ValueError, RuntimeError, TypeError) as error:  # how llama.cpp refuses a request
            raise Refused(400, str(error)) from error

    def _whole(self, model: Model, name: str, request: Mapping[str, Any]) -> None:
        """Send an answer when it is whole. It is made as a stream is, so that whoever hangs up ends it as well."""
        chunks: list[dict[str, Any]] = []

        def heard(chunk: dict[str, Any]) -> bool:
            chunks.append(chunk)
            return "error" in chunk or self.gone()

        streamed = {"stream": True, "stream_options": {"include_usage": True}}
        model.server.handle_chat_completions({**request, **streamed}, heard)
        answer = whole_answer(chunks)
        self.send(_status(answer), _named(answer, name))

    def _stream(self, model: Model, name: str, request: Mapping[str, Any]) -> None:
        """Send server-sent events as they come; whoever hangs up ends the reply."""
        streaming = False

        def heard(chunk: dict[str, Any]) -> bool:
            nonlocal streaming
            try:
                if "error" in chunk and not streaming:
                    self.send(_status(chunk), chunk)
                    return True
                if not streaming:
                    streaming = self.close_connection = True
                    self.begin(200, {"Content-Type": "text/event-stream", "Cache-Control": "no-cache"})
                self._event(json.dumps(_named(chunk, name)))
            except OSError:
                return True
            return False

        model.server.handle_chat_completions(request, heard)
        if streaming:
            self._event("[DONE]")

    def _event(self, data: str) -> None:
        self.wfile.write(f"data: {data}\n\n".encode())


def _request(model: Model, asked: Completion, system: str) -> dict[str, Any]:
    """Return a request for llama.cpp, spelled and sampled as this model is asked everywhere."""
    said = asked.said(system)
    check_length(said, model.context)
    request = {**asked.sampling(model.context), "messages": as_objects(askable(model, said))}
    if asked.stream:
        request["stream"] = True
        if asked.stream_options and asked.stream_options.include_usage is not None:
            request["stream_options"] = {"include_usage": asked.stream_options.include_usage}
    return request


def _hostname(address: str) -> str | None:
    try:
        return urlsplit(address).hostname
    except ValueError:
        return None


def _known(name: str, names: Mapping[str, Offered]) -> str:
    """Return the name as it is offered; without a tag it is the latest."""
    full = name if ":" in name else f"{name}:latest"
    if full not in names:
        raise Refused(404, f"There is no model {name!r}. Offered: {', '.join(names) or 'none'}.", "model_not_found")
    return full


def _description(name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": int(time.time()), "owned_by": "idiolect"}


def _named(answer: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    return answer if "error" in answer else {**answer, "model": name}


def _status(answer: Mapping[str, Any]) -> int:
    return int(answer["error"].get("code", 500)) if "error" in answer else 200
