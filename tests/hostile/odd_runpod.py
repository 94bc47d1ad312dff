"""RunPod gone odd, over a real socket: the stand-in whose pods are real, and before it whatever a test puts."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

from tests.machines.runpod_server import RunPodServer

#: Answers a request in its own way, and returns True; or returns False, and the stand-in answers.
Oddity = Callable[[BaseHTTPRequestHandler], bool]


@dataclass
class OddRunPod(RunPodServer):
    """`odd` says what is odd about an answer, by method and path (`GET /v2/pods`, `* logs`)."""

    odd: dict[str, Oddity] = field(default_factory=dict)
    extra_pods: list[Any] = field(default_factory=list)
    """Strangers' entries that the list has, too."""

    def answer(self, request: BaseHTTPRequestHandler, method: str) -> None:
        path = request.path.partition("?")[0]
        kinds = {
            f"{method} {path}",
            f"{method} pod" if path.count("/") == 3 and "/pods/" in path else "",
            "logs" if path.endswith("/logs") else "",
            "*",
        }
        for kind in kinds & self.odd.keys():
            if method == "POST":
                request.rfile.read(int(request.headers.get("Content-Length", 0)))
            with suppress(OSError):
                if self.odd[kind](request):
                    self.calls.append(f"{method} {request.path}")
                    return
        if self.extra_pods and (method, path) == ("GET", "/v2/pods"):
            self.calls.append(f"{method} {request.path}")
            self._reply(request, 200, {"pods": [*self.extra_pods, *(p.told() for p in list(self.pods.values()))]})
            return
        super().answer(request, method)


def says(status: int, body: Any = None, **headers: str) -> Oddity:
    """Answer so: a text as it is, all else as JSON."""

    def answer(request: BaseHTTPRequestHandler) -> bool:
        content = body.encode() if isinstance(body, str) else json.dumps(body).encode()
        request.send_response(status)
        for name, value in headers.items():
            request.send_header(name.replace("_", "-"), value)
        request.send_header("Content-Length", str(len(content)))
        request.end_headers()
        request.wfile.write(content)
        return True

    return answer


def first(times: int, oddity: Oddity) -> Oddity:
    """Be odd so often, and then no more."""
    left = iter(range(times))
    return lambda request: next(left, None) is not None and oddity(request)


def trickles(part: bytes, every: float, content_type: str = "application/json") -> Oddity:
    """Begin an answer that never ends."""

    def answer(request: BaseHTTPRequestHandler) -> bool:
        request.send_response(200)
        request.send_header("Content-Type", content_type)
        request.end_headers()
        for piece in _for_ever(part):
            request.wfile.write(piece)
            request.wfile.flush()
            time.sleep(every)
        return True

    return answer


def trickling_headers(request: BaseHTTPRequestHandler) -> bool:
    """Never come to the end of the headers."""
    request.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    for piece in _for_ever(b"x"):
        request.wfile.write(piece)
        request.wfile.flush()
        time.sleep(0.1)
    return True


def _for_ever(piece: bytes) -> Iterator[bytes]:
    while True:
        yield piece
