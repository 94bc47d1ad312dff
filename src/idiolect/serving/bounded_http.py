"""A small HTTP server of JSON that answers every request with a status, and lets none take more than its share.

On http.server: FastAPI and uvicorn would be four packages more where only `idiolect[chat]` is installed, and the bounds
on body, time and connections would have to be written all the same.
"""

from __future__ import annotations

import json
import socket
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

#: Bytes of a request. A conversation that fills a context of 100,000 tokens has fewer.
LARGEST = 4_000_000
#: Connections at a time; each has a thread.
CONNECTIONS = 128
#: Seconds in which a body must have come, and in which what else was sent after a refusal is thrown away.
_ARRIVES, _DRAINS = 60.0, 2.0


class Refused(Exception):
    """A request that is answered with an error, in OpenAI's form."""

    def __init__(
        self, status: int, message: str, code: str | None = None, *, kind: str = "invalid_request_error"
    ) -> None:
        super().__init__(message)
        self.status = status
        self.error = {"message": message, "type": kind, "param": None, "code": code}


class BoundedServer(ThreadingHTTPServer):
    """A thread for each connection, and no more than CONNECTIONS of them."""

    daemon_threads = True
    request_queue_size = CONNECTIONS

    def __init__(self, address: tuple[str, int], handler: type[BoundedHandler]) -> None:
        self._free = threading.BoundedSemaphore(CONNECTIONS)
        super().__init__(address, handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Begin a thread, or say at once that there are too many."""
        if self._free.acquire(blocking=False):
            super().process_request(request, client_address)
            return
        with suppress(OSError):
            request.send(b"HTTP/1.1 503 Too many connections\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002 - as socketserver calls it
        """Say nothing of a client that hung up, which is no fault; of another error where it was."""
        error = sys.exception()
        if error is not None and not isinstance(error, OSError):
            report(error)


class BoundedHandler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    #: What is no HTTP, or older than 1.0, is answered with a status as well.
    default_request_version = "HTTP/1.0"
    server_version = "idiolect"
    sys_version = ""
    timeout = 60
    #: Whether this request has had its status.
    begun = False

    def log_message(self, *_: Any) -> None:
        """Keep silent: what is asked is the person's own."""

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:  # noqa: ARG002
        """Answer what http.server itself refuses: a line that is no request, a method that is not known."""
        self._refuse(Refused(code, message or self.responses.get(code, ("Refused", ""))[0]))

    def answer(self, how: Callable[[], None]) -> None:
        """Answer a request, whatever comes of it."""
        self.begun = False
        try:
            how()
        except Refused as refusal:
            self._refuse(refusal)
        except OSError:
            self.close_connection = True  # whoever asked is gone
        except Exception as error:  # noqa: BLE001 - a fault of ours, and a request that has had no answer
            report(error)
            self._refuse(Refused(500, "The endpoint has a fault; its terminal says where.", kind="server_error"))

    def own_headers(self) -> Mapping[str, str]:
        """Return what each answer says besides."""
        return {}

    def begin(self, status: int, headers: Mapping[str, str], length: int | None = None) -> None:
        self.begun = True
        self.send_response(status)
        sizes = {} if length is None else {"Content-Length": str(length)}
        closing = {"Connection": "close"} if self.close_connection else {}
        for name, value in {**self.own_headers(), **headers, **sizes, **closing}.items():
            self.send_header(name, value)
        self.end_headers()

    def send(self, status: int, answer: Any) -> None:
        body = json.dumps(answer).encode()
        self.begin(status, {"Content-Type": "application/json"}, len(body))
        if self.command != "HEAD":
            self.wfile.write(body)

    def gone(self) -> bool:
        """Say whether whoever asked has hung up."""
        try:
            self.connection.settimeout(0)
            return not self.connection.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return False
        except OSError:
            return True
        finally:
            self.connection.settimeout(self.timeout)

    def body(self) -> bytes:
        """Return what was sent. Raises Refused for too much, too slow, or what is not JSON by its type."""
        stated = self.headers.get("Content-Length", "")
        if not (stated.isascii() and stated.isdigit()):
            raise Refused(411, "Send a Content-Length.")
        if len(stated) > len(str(LARGEST)) or int(stated) > LARGEST:
            raise Refused(413, f"Send at most {LARGEST:,} bytes.")
        if self.headers.get_content_type() != "application/json":
            raise Refused(415, "Send application/json.")
        return self._received(int(stated))

    def _received(self, length: int) -> bytes:
        until, received = time.monotonic() + _ARRIVES, bytearray()
        while len(received) < length:
            self.connection.settimeout(max(until - time.monotonic(), 0.001))
            try:
                piece = self.rfile.read1(min(length - len(received), 65_536))
            except TimeoutError as error:
                raise Refused(408, f"The body did not come within {_ARRIVES:.0f} seconds.") from error
            if not piece:
                raise Refused(400, "The body ends too early.")
            received += piece
        self.connection.settimeout(self.timeout)
        return bytes(received)

    def _refuse(self, refusal: Refused) -> None:
        """Send an error and hang up; what else is being sent is thrown away first, or the answer would not arrive."""
        self.close_connection = True
        with suppress(OSError):
            if not self.begun:
                self.send(refusal.status, {"error": refusal.error})
            self.connection.shutdown(socket.SHUT_WR)
            until, left = time.monotonic() + _DRAINS, LARGEST
            while left > 0 and (patience := until - time.monotonic()) > 0:
                self.connection.settimeout(patience)
                piece = self.rfile.read1(65_536)
                left -= len(piece)
                if not piece:
                    return


def report(error: BaseException) -> None:
    """Say on the terminal what went wrong and where, and nothing of what was asked."""
    place = traceback.extract_tb(error.__traceback__)[-1]
    where = f"{place.filename}, line {place.lineno}"
    sys.stderr.write(f"A request failed: {type(error).__name__} in {where}. Please report this line.\n")
