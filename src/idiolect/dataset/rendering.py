"""Chat templates rendered within bounds of time, memory and output, in a process of their own.

One process serves all of this program; it is started when first needed, and again after it had to be ended. A request
is four bytes of length and MessagePack: [source, special tokens, whether content is in parts, [[messages, ask], …]];
the answer has [text, fault] for each, one of the two empty.
"""

from __future__ import annotations

import atexit
import os
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, cast

import msgspec

from idiolect.curation import Message
from idiolect.dataset import render_child
from idiolect.errors import BaseModelFault

#: Prompts that are sent at a time, and the seconds that they may take: a usual template takes a millisecond for one.
_AT_A_TIME, _SECONDS = 200, 20.0

_LOCK = threading.Lock()
_running: dict[int, subprocess.Popen[bytes]] = {}

Prompt = tuple[Sequence[Message], bool]


class Rendered(msgspec.Struct, frozen=True, array_like=True):
    """A rendered conversation, or in what way the template failed at it."""

    text: str
    fault: str


def render(source: str, names: Mapping[str, str], prompts: Sequence[Prompt], *, typed: bool) -> list[Rendered]:
    """Render conversations, each with or without the generation prompt at its end.

    `names` are the special tokens (bos_token, eos_token) that a template may name; `typed` passes content as a list of
    parts. Raises BaseModelFault for a template that does not end in time, or ends its process.
    """
    rendered: list[Rendered] = []
    for at in range(0, len(prompts), _AT_A_TIME):
        plain = [([(m.role, m.content) for m in messages], ask) for messages, ask in prompts[at : at + _AT_A_TIME]]
        with _LOCK:
            answer = _exchange(msgspec.msgpack.encode((source, dict(names), typed, plain)))
        rendered += msgspec.msgpack.decode(answer, type=list[Rendered])
    return rendered


def _exchange(request: bytes) -> bytes:
    process, late = _process(), threading.Event()

    def end() -> None:
        late.set()
        process.kill()

    # A pipe cannot be waited for with a limit everywhere; a process can be ended by a timer anywhere.
    timer = threading.Timer(_SECONDS, end)
    timer.start()
    try:
        answer = _sent_and_answered(process, request)
    finally:
        timer.cancel()
    if answer is not None:
        return answer
    _end()
    raise BaseModelFault(
        "The base model's chat template "
        + (f"does not end within {_SECONDS:.0f} seconds." if late.is_set() else "ended the process that rendered it."),
        "Use another instruct model; this one's template is not safe to use.",
    )


def _sent_and_answered(process: subprocess.Popen[bytes], request: bytes) -> bytes | None:
    """Return the answer, or None where the process ended before it was whole."""
    to, back = cast("BinaryIO", process.stdin), cast("BinaryIO", process.stdout)
    try:
        to.write(len(request).to_bytes(4) + request)
        to.flush()
    except BrokenPipeError:
        return None
    size = int.from_bytes(back.read(4))
    answer = back.read(size)
    return answer if size and len(answer) == size else None


def _process() -> subprocess.Popen[bytes]:
    """Return the process of this one; a fork has its own, for two cannot talk through one pipe."""
    process = _running.get(os.getpid())
    if process is None or process.poll() is not None:
        _end()
        # As a file and without our packages on its way, so that it starts in a tenth of a second.
        command = [sys.executable, "-P", str(Path(render_child.__file__))]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        _running[os.getpid()] = process
    return process


@atexit.register
def _end() -> None:
    """End the process, if there is one: it ends by itself when its input is closed."""
    process = _running.pop(os.getpid(), None)
    if process is None:
        return
    for pipe in (process.stdin, process.stdout):
        with suppress(BrokenPipeError):  # it had ended before all was sent
            cast("BinaryIO", pipe).close()
    process.wait()
