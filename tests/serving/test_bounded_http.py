"""Whatever is sent to the endpoint is answered with a status; whoever hangs up is no fault."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from idiolect.errors import UserFault
from idiolect.serving import Offered, bounded_http
from tests.serving.test_endpoint import served


@pytest.fixture
def port(tiny_gguf: Path) -> Iterator[int]:
    with served(lambda: {"ada:latest": Offered(tiny_gguf, "", 256)}) as port:
        yield port


@contextmanager
def connected(port: int, sent: bytes) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(sent)
        yield connection


def answer(connection: socket.socket) -> bytes:
    received = bytearray()
    while piece := connection.recv(65_536):
        received += piece
    return bytes(received)


def posted(body: bytes, *headers: str, path: str = "/v1/chat/completions", host: str = "localhost") -> bytes:
    fixed = [f"POST {path} HTTP/1.1", f"Host: {host}", "Connection: close", "Content-Type: application/json"]
    sizes = [] if any(h.lower().startswith("content-length") for h in headers) else [f"Content-Length: {len(body)}"]
    return "\r\n".join([*fixed, *headers, *sizes, "", ""]).encode() + body


DEEP = b"[" * 100_000
HALF = b'{"model": "ada", "messages": [{"role": "user", "content": "\\ud800"}]}'
LONG = json.dumps({"model": "ada", "messages": [{"role": "user", "content": "x"}] * 50_000}).encode()
PASTED = json.dumps({"model": "ada", "messages": [{"role": "user", "content": "x" * 9_000}]}).encode()


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (posted(b"{}", host="[::1"), 403),
        (posted(b"{}", "Origin: http://["), 403),
        (b"GET http://[::1 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", 400),
        (posted(b"{}", path="http://[::1"), 400),
        (b"GET /v1/models HTTP/1.1\r\nConnection: close\r\n\r\n", 403),
        (posted(DEEP), 400),
        (posted(b'{"a":' * 100_000), 400),
        (posted(HALF), 400),
        (posted(LONG), 400),
        (posted(PASTED), 400),
        (posted(b"{}", "Content-Length: " + "9" * 5_000), 413),
        (posted(b"{}", "Content-Length: 99999999"), 413),
        (posted(b"{}", "Content-Length: -1"), 411),
        (posted(b"{}", "Content-Length: two"), 411),
        (posted(b"{}", "Content-Length: ٢"), 411),
        (b"GET /v1/models\r\n\r\n", 403),
        (b"nonsense\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\r\n\r\n", 400),
        (b"GET / HTTP/9.9\r\n\r\n", 505),
        (b"GET /" + b"x" * 70_000 + b" HTTP/1.1\r\n\r\n", 414),
        (b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 200 + b"\r\n", 431),
        (b"BREW /v1/models HTTP/1.1\r\nHost: localhost\r\n\r\n", 501),
        (b"HEAD /v1/models HTTP/1.1\r\nHost: localhost\r\n\r\n", 501),
    ],
    ids=lambda case: case[:40].decode(errors="replace") if isinstance(case, bytes) else str(case),
)
def test_every_request_gets_a_status(port: int, sent: bytes, status: int, capsys: pytest.CaptureFixture[str]) -> None:
    began = time.monotonic()
    with connected(port, sent) as connection:
        assert answer(connection).split(b"\r\n")[0].split()[1] == str(status).encode()
    assert time.monotonic() - began < 5
    assert capsys.readouterr().err == ""


def test_a_body_that_is_refused_unread_does_not_keep_the_status_from_coming(port: int) -> None:
    body = b"x" * 3_900_000
    with connected(port, posted(body, host="evil.example")) as connection:
        assert answer(connection).startswith(b"HTTP/1.1 403 ")


def test_a_body_that_never_comes_is_given_up(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounded_http, "_ARRIVES", 0.3)
    with connected(port, posted(b"{", "Content-Length: 100")) as connection:
        assert answer(connection).startswith(b"HTTP/1.1 408 ")
    with connected(port, posted(b"{", "Content-Length: 100")) as connection:
        connection.shutdown(socket.SHUT_WR)
        assert answer(connection).startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize(
    "sent", [posted(DEEP), posted(b"{}", host="evil.example"), posted(b"x" * 2_000_000)[:-5], b"G"]
)
def test_whoever_hangs_up_is_no_fault(port: int, sent: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    for _ in range(20):
        with connected(port, sent) as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # a reset, not an end
    with connected(port, posted(b"{}")) as connection:
        assert answer(connection).startswith(b"HTTP/1.1 400 ")
    assert capsys.readouterr().err == ""


def test_no_more_connections_than_there_is_room_for(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    with ExitStack() as stack:
        for _ in range(bounded_http.CONNECTIONS):
            stack.enter_context(connected(port, b"G"))
        with connected(port, b"") as one_more:
            assert answer(one_more).startswith(b"HTTP/1.1 503 ")
    for _ in range(100):  # those are gone: there is room again
        with connected(port, posted(b"{}")) as connection:
            if answer(connection).startswith(b"HTTP/1.1 400 "):
                return
        time.sleep(0.05)
    pytest.fail("there was no room again")


def damaged() -> dict[str, Offered]:
    raise UserFault("registry.json cannot be read.", "Delete it.")


def test_a_registry_that_cannot_be_read_is_said_with_a_status() -> None:
    with served(damaged) as port, connected(port, posted(b'{"model": "ada", "messages": []}')) as connection:
        assert answer(connection).startswith(b"HTTP/1.1 400 ")
    asked = b'{"model": "ada", "messages": [{"role": "user", "content": "Hi."}]}'
    with served(damaged) as port, connected(port, posted(asked)) as connection:
        told = answer(connection)
    assert told.startswith(b"HTTP/1.1 503 ")
    assert b"registry.json cannot be read" in told


def failing() -> dict[str, Offered]:
    raise ZeroDivisionError("what somebody said")


def test_a_fault_of_ours_is_answered_and_said_without_what_was_asked(capsys: pytest.CaptureFixture[str]) -> None:
    offer: Callable[[], dict[str, Offered]] = failing
    with served(offer) as port:
        sent = b"GET /v1/models HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        with connected(port, sent) as connection:
            assert answer(connection).startswith(b"HTTP/1.1 500 ")
    said = capsys.readouterr().err
    assert said.startswith("A request failed: ZeroDivisionError in ")
    assert said.count("\n") == 1
    assert "what somebody said" not in said
