"""One question to Ollama over HTTP: what answers is a stranger, whose answers are bounded in time and in size.

A timeout of a socket is one of each read: whoever sends a byte a second is never late. So there is one clock for all
of an exchange, and when it has run out the connection is shut, whatever the two are at.
"""

from __future__ import annotations

import json
import os
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import Any, BinaryIO
from urllib.parse import urlsplit

from idiolect.errors import NoOllama, OllamaRefused

#: Seconds until the computer itself is taken to be away.
_CONNECTS = 5.0
#: Characters of what a server says that are passed on, and bytes of a line or of a refusal that are read.
_SAID, _LINE = 300, 1_000_000


@contextmanager
def asked(
    where: str, method: str, path: str, body: Mapping[str, Any] | BinaryIO | None = None, *, seconds: float
) -> Iterator[HTTPResponse]:
    """Ask, and yield the answer, to be read within `seconds` of the asking; a body is a file, or becomes JSON.

    Raises NoOllama for whatever keeps the two from speaking, at any time while the answer is being read.
    """
    parts, late = urlsplit(where), threading.Event()
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    clock = None
    try:
        if seconds <= 0:
            raise TimeoutError
        connection = kind(parts.hostname or "", parts.port, timeout=min(_CONNECTS, seconds))
        try:
            connection.connect()
            connection.sock.settimeout(seconds)
            clock = threading.Timer(seconds, _hang_up, (connection.sock, late))
            clock.daemon = True
            clock.start()
            with _answer(connection, method, path, body) as response:
                yield response
        finally:
            if clock:
                clock.cancel()
            connection.close()
    except (OSError, HTTPException, UnicodeError, OllamaRefused) as error:
        # What a connection that was shut here looks like to whoever reads from it says nothing about Ollama.
        if isinstance(error, OllamaRefused) and not late.is_set():
            raise
        raise _away(where, f"not within {seconds:,.0f} seconds" if late.is_set() else _reason(error)) from error
    if late.is_set():
        raise _away(where, f"not within {seconds:,.0f} seconds")


def _answer(
    connection: HTTPConnection, method: str, path: str, body: Mapping[str, Any] | BinaryIO | None
) -> HTTPResponse:
    if body is None or isinstance(body, Mapping):
        encoded = None if body is None else json.dumps(body).encode()
        connection.request(method, path, encoded, {"Content-Type": "application/json"})
    else:
        # A server that gives up early answers and hangs up: what it answered is worth more than that it did.
        with suppress(BrokenPipeError, ConnectionResetError):
            connection.request(method, path, body, {"Content-Length": str(os.fstat(body.fileno()).st_size)})
    return connection.getresponse()


def _hang_up(connected: socket.socket, late: threading.Event) -> None:
    late.set()
    with suppress(OSError):  # it is closed already
        connected.shutdown(socket.SHUT_RDWR)


def _away(where: str, why: str) -> NoOllama:
    remedy = "Start it (`ollama serve`), or set OLLAMA_HOST to where it is."
    return NoOllama(f"Ollama at {where} does not answer: {why}.", remedy)


def _reason(error: Exception) -> str:
    """Say in words why nobody answered; the system's own words are those of a programmer."""
    if isinstance(error, ConnectionRefusedError):
        return "nothing listens there"
    if isinstance(error, TimeoutError):
        return "it keeps silent"
    if isinstance(error, (socket.gaierror, UnicodeError)):
        return "there is no computer of that name"
    if isinstance(error, (ConnectionError, HTTPException)):
        return "it hung up, or does not speak HTTP"
    return _one_line(getattr(error, "strerror", None) or error)


def whole(response: HTTPResponse, most: int) -> bytes:
    """Return all of an answer. Raises OllamaRefused for one of more than `most` bytes."""
    answer = response.read(most + 1)
    if len(answer) > most:
        raise _too_long(most)
    return answer


def lines(response: HTTPResponse, most: int) -> Iterator[dict[str, Any]]:
    """Yield the objects of an answer that has one a line. Raises OllamaRefused for more than `most` bytes."""
    read = 0
    while line := response.readline(_LINE + 1):
        read += len(line)
        if len(line) > _LINE or read > most:
            raise _too_long(most)
        event = parsed(line)
        if isinstance(event, dict):
            yield event


def parsed(text: bytes) -> Any:
    """Return what a JSON text says, None for what is none."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def refuse_unless_ok(response: HTTPResponse) -> None:
    """Raise OllamaRefused, with what the server says, unless it did what it was asked for."""
    if response.status not in (200, 201):
        answer = parsed(response.read(_LINE))
        said = answer.get("error") if isinstance(answer, dict) else None
        raise refusal(said or f"status {response.status}")


def refusal(said: object) -> OllamaRefused:
    """Return what Ollama says as an error of ours."""
    remedy = "What it served before is untouched. Its log says more: `ollama serve` prints it, or journalctl -u ollama"
    return OllamaRefused(f"Ollama: {_one_line(said)}", remedy)


def _too_long(most: int) -> OllamaRefused:
    return refusal(f"its answer has more than {most:,} bytes")


def _one_line(said: object) -> str:
    """Return a stranger's words as one line, without what a terminal would take for a command."""
    printable = "".join(c if c.isprintable() else " " for c in str(said)[: 4 * _SAID])
    return " ".join(printable.split())[:_SAID]
