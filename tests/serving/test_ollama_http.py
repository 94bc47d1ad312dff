"""What answers in Ollama's place may be anything: its answers are bounded in time and size, over real sockets."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest

from idiolect.curation import Message
from idiolect.errors import NoOllama, OllamaRefused
from idiolect.serving import ollama

HELLO = [Message("user", "Hello.")]
VERSION = b'{"version": "0.33.0"}'


def ok(body: bytes, more: int = 0) -> list[bytes]:
    """Return an answer as a server sends it; with `more` it promises so many bytes that do not come."""
    return [b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (len(body) + more), body]


@contextmanager
def server(*answers: Sequence[bytes], pause: float = 0.0, stays: bool = False) -> Iterator[str]:
    """Answer one connection after another, each with its pieces, and hang up or stay."""
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.05)

        def accepted() -> socket.socket | None:
            while not over.is_set():
                with suppress(TimeoutError):
                    return listener.accept()[0]
            return None

        def serve() -> None:
            for pieces in answers:
                connection = accepted()
                if connection is None:
                    return
                connection.settimeout(None)
                with connection, suppress(OSError):
                    connection.recv(100_000)
                    for piece in pieces:
                        connection.sendall(piece)
                        if over.wait(pause):
                            return
                    if stays:
                        over.wait()

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"127.0.0.1:{listener.getsockname()[1]}"
        finally:
            over.set()
            thread.join()


def soon(address: str) -> ollama.Ollama:
    return replace(ollama.Ollama(f"http://{address}", (0, 33, 0)), until=time.monotonic() + 0.5)


ASKED: list[Callable[[ollama.Ollama, Path], object]] = [
    lambda there, _: ollama.models(there),
    lambda there, _: ollama.has_file(there, "sha256:" + 64 * "0"),
    lambda there, _: ollama.create(there, "ada:new", **{"from": "ada:old"}),
    lambda there, _: ollama.copy(there, "ada:new", "ada:latest"),
    lambda there, _: ollama.delete(there, "ada:new"),
    lambda there, _: ollama.chat(there, "ada:new", HELLO),
    lambda there, _: ollama.rendered(there, "ada:new", HELLO),
    ollama.push_file,
]


SILENT: dict[str, tuple[list[bytes], float]] = {
    "silent": ([], 0.0),
    "headers that trickle": ([b"H", b"T", *500 * [b"T"]], 0.1),
}
#: To whoever reads no more of an answer than its headers these are answers.
HALF: dict[str, tuple[list[bytes], float]] = {
    "silent after its headers": (ok(b"", more=100), 0.0),
    "a body that trickles": ([*ok(b"", more=500), *500 * [b" "]], 0.1),
    "lines that trickle": (
        [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", *500 * [b"3\r\n{}\n\r\n"]],
        0.1,
    ),
}
SLOW = [(number, how) for number in range(len(ASKED)) for how in SILENT] + [
    (number, how) for number in (0, 2, 5, 6) for how in HALF
]


@pytest.mark.parametrize(("number", "how"), SLOW)
def test_whoever_is_slow_in_whatever_way_is_waited_for_no_longer_than_was_said(
    tmp_path: Path, number: int, how: str
) -> None:
    (tmp_path / "file").write_bytes(b"GGUF")
    pieces, pause = (SILENT | HALF)[how]
    with server(pieces, pause=pause, stays=True) as address:
        began = time.monotonic()
        with pytest.raises(NoOllama, match=r"does not answer: (not within \d|it keeps silent)"):
            ASKED[number](soon(address), tmp_path / "file")
        assert time.monotonic() - began < 2


def test_a_file_that_is_taken_byte_by_byte_is_not_sent_for_ever(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(bytes(50_000_000))
    with server([b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"], [], stays=True) as address:
        began = time.monotonic()
        with pytest.raises(NoOllama, match="does not answer"):
            ollama.push_file(soon(address), tmp_path / "file")
        assert time.monotonic() - began < 2


@pytest.mark.parametrize(
    "said",
    [
        b'{"version": "%s"}' % (b"9" * 10_000),
        b'{"version": "1.%s"}' % (b"9" * 4_000),
        b'{"version": %s}' % (b"9" * 10_000),
        b'{"version": ["0.33.0"]}',
        b'{"version": ""}',
        b"[" * 9_000,
        b"<html>",
        b"",
    ],
)
def test_what_is_no_version_is_not_ollama(said: bytes) -> None:
    with server(ok(said)) as address, pytest.raises(NoOllama, match="is not Ollama"):
        ollama.reach({"OLLAMA_HOST": address})


@pytest.mark.parametrize(("said", "version"), [("0.34.1-rc0", (0, 34, 1)), ("0.5", (0, 5)), ("0.0.0", (0, 0, 0))])
def test_a_version_is_read_as_far_as_it_has_numbers(said: str, version: tuple[int, ...]) -> None:
    with server(ok(b'{"version": "%s"}' % said.encode())) as address:
        assert ollama.reach({"OLLAMA_HOST": address}).version == version


def test_a_flood_is_not_read_to_its_end() -> None:
    flood = [b"HTTP/1.1 200 OK\r\n\r\n", *20 * [b"x" * 1_000_000]]
    lines = [b"HTTP/1.1 200 OK\r\n\r\n", *2_000 * [b'{"status": "%s"}\n' % (b"x" * 10_000)]]
    with server(flood, flood, lines, flood) as address:
        with pytest.raises(NoOllama, match="is not Ollama"):
            ollama.reach({"OLLAMA_HOST": address})
        for asked in (ASKED[0], ASKED[2], ASKED[5]):
            with pytest.raises(OllamaRefused, match=r"more than 16,000,000 bytes"):
                asked(soon(address), Path())


@pytest.mark.parametrize(
    "answer", [b"[]", b"3", b'{"models": 5}', b'{"models": [3, {}, null]}', b'{"models": {"name": "x"}}']
)
def test_a_list_of_something_else_is_an_empty_one(answer: bytes) -> None:
    with server(ok(answer)) as address:
        assert ollama.models(soon(address)) == {}


def test_what_it_says_is_one_line_without_control_codes() -> None:
    error = b'{"error": "no\\n\\tspace \\u001b[31mleft%s"}' % (b"!" * 10_000)
    answer = b"HTTP/1.1 500 Oh\r\nContent-Length: %d\r\n\r\n%s" % (len(error), error)
    with server([answer]) as address, pytest.raises(OllamaRefused) as refusal:
        ollama.models(soon(address))
    assert refusal.value.problem.startswith("Ollama: no space [31mleft!")
    assert len(refusal.value.problem) < 400


@pytest.mark.parametrize(
    ("stated", "said"),
    [
        ("127.0.0.1:9", "does not answer: nothing listens there"),
        ("x" * 300, "does not answer: there is no computer of that name"),
        ("no-such-name.invalid", "does not answer: there is no computer of that name"),
        ("[::1", "is no address"),
        ("a b\nc", "does not answer"),
    ],
)
def test_why_nobody_answers_is_said_in_words_and_two_lines(stated: str, said: str) -> None:
    with pytest.raises(NoOllama, match=said) as fault:
        ollama.reach({"OLLAMA_HOST": stated})
    assert fault.value.exit_code == 2
    assert len(str(fault.value).splitlines()) == 2
