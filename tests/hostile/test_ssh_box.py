"""Promise: whatever a box behind ssh prints, it is two lines of ours in good time, and no terminal obeys it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from idiolect.errors import IdiolectError
from idiolect.machines.connection import connected, run
from idiolect.machines.far_job import EVENTS_AT_ONCE, Heard
from idiolect.machines.ssh import check
from idiolect.training import Note, decode
from tests.hostile.box import HostileBox
from tests.hostile.cases import cases


@pytest.fixture
def box(tmp_path: Path) -> Iterator[HostileBox]:
    running = HostileBox(tmp_path / "box").start()
    yield running
    running.stop()


GREETINGS = {
    "a greeting": "Welcome to Ubuntu 24.04 LTS!\n\n * Documentation: https://example.org\n",
    "braces": "{}\n",
    "control codes": "\x1b]0;owned\x07\x1b[2J\n",
    "no line's end": "hello ",
    "a hundred lines": "system restart required\n" * 100,
}


@pytest.mark.parametrize("greeting", cases(GREETINGS, 3))
def test_a_greeting_is_left_out(box: HostileBox, greeting: str) -> None:
    box.greeting = greeting
    assert check(box.described, box.known_hosts, "job", accept=False).memory > 0


ANSWERS: dict[str, str] = {
    "nothing": "",
    "no JSON": "command not found\n",
    "another object": "{}\n",
    "other types": '{"version": "3.11", "python": 5, "folder": null, "memory": "much"}\n',
    "a list": "[[3, 11]]\n",
    "null": "null\n",
    "negative": '{"version": [3, 11], "python": "python3", "folder": "/x", "memory": -1, "free": -5}\n',
    "nested without end": "[" * 100_000,
    "numbers without end": "9" * 100_000,
    "control codes": "\x1b[2J\x1b]52;c;b3duZWQ=\x07\n",
    "no UTF-8": "\udcff\udcfe\n",
}


@pytest.mark.parametrize("answer", cases(ANSWERS, 3))
@pytest.mark.parametrize("asked", ["-", "has"], ids=["what it is", "what it has"])
def test_an_answer_that_no_python_of_ours_gives_is_two_lines(box: HostileBox, answer: str, asked: str) -> None:
    def alter(words: list[str], honest: str) -> Any:
        mark = honest.partition("\n")[0]

        async def say(process: Any) -> None:
            process.stdout.write(f"{mark}\n{answer}".encode("utf-8", "surrogateescape"))

        return say if (asked in words) == (asked == "has" or "has" not in words) else honest

    box.alter = alter
    with pytest.raises(IdiolectError) as told:
        check(box.described, box.known_hosts, "job", accept=False)
    assert len(str(told.value).splitlines()) == 2
    assert str(told.value).isprintable() or all(c.isprintable() or c == "\n" for c in str(told.value))


def test_an_empty_answer_is_not_taken_for_an_empty_list(box: HostileBox) -> None:
    box.alter = lambda *_: ""
    with pytest.raises(IdiolectError, match="as a shell does"):
        check(box.described, box.known_hosts, "job", accept=False)


def test_a_login_that_runs_no_commands_says_so(box: HostileBox) -> None:
    async def refuse(process: Any) -> None:
        process.stdout.write(b"This account is currently not available.\n")
        process.exit(1)

    box.alter = lambda *_: refuse
    with pytest.raises(IdiolectError, match="account is currently not available"):
        check(box.described, box.known_hosts, "job", accept=False)


def ran(box: HostileBox, command: str, seconds: float) -> None:
    async def connect() -> None:
        async with connected(box.described, box.known_hosts) as connection:
            await run(connection, command, seconds=seconds)

    asyncio.run(connect())


def test_a_command_that_hangs_or_trickles_ends(box: HostileBox) -> None:
    async def trickle(process: Any) -> None:
        while True:
            process.stdout.write(b".")
            await asyncio.sleep(0.1)

    for answer in (trickle, asyncio.sleep(600)):
        box.alter = lambda *_, answer=answer: answer if callable(answer) else (lambda _: answer)
        began = time.monotonic()
        with pytest.raises(IdiolectError, match="has not ended on the other computer within 1 seconds"):
            ran(box, "true", 1)
        assert time.monotonic() - began < 10


def test_output_without_end_is_not_held(box: HostileBox) -> None:
    async def flood(process: Any) -> None:
        while True:
            process.stdout.write(b"y" * 1_000_000)
            await process.stdout.drain()

    box.alter = lambda *_: flood
    with pytest.raises(IdiolectError, match="says more than it can have to say"):
        ran(box, "true", 60)


def test_what_a_job_tells_is_bounded_and_shown_as_text(tmp_path: Path) -> None:
    lines = b'{"type":"note","text":"\\u001b[2Jowned\\u202e"}\nno json\n[]\n' + b"[" * 100_000 + b"\n\xff\xfe\n"
    told = list(decode(lines))
    assert told == [Note("\ufffd[2Jowned\ufffd"), Note("4 lines of what the training tells cannot be read.")]
    heard = Heard(tmp_path / "events.jsonl")
    with pytest.raises(IdiolectError, match="more than any training does"):
        heard.lines(b"x" * EVENTS_AT_ONCE)
