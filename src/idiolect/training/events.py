"""Progress as events: JSON lines that the terminal, the log and whatever comes later all read."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec

from idiolect.errors import IdiolectError, plain


class Started(msgspec.Struct, frozen=True, tag="started"):
    """Training is about to begin, or to go on."""

    samples: int
    held_out: int
    steps: int
    learned_tokens: int
    trained_parameters: int
    processes: int = 1


class Stepped(msgspec.Struct, frozen=True, tag="step"):
    """An optimizer step was made; the loss is in nats a learned token, before the step."""

    step: int
    steps: int
    epoch: float
    loss: float
    learning_rate: float
    tokens_per_second: float
    """Learned tokens, since training began or went on."""
    seconds_left: float
    learned_tokens: int = 0
    """From the first step on, also of earlier starts."""
    memory_bytes: int = 0
    """The most that was held so far."""


class HeldOut(msgspec.Struct, frozen=True, tag="held_out"):
    """The held-out loss, in nats a token of the person's own replies; epoch 0 is before training."""

    epoch: float
    loss: float


class Note(msgspec.Struct, frozen=True, tag="note"):
    """Something that the person should know."""

    text: str


class Moved(msgspec.Struct, frozen=True, tag="moved"):
    """So many bytes have gone to another computer, or come from it."""

    what: str
    done: int
    total: int


class Finished(msgspec.Struct, frozen=True, tag="finished"):
    """The outputs are in the bundle."""

    seconds: float


class Failed(msgspec.Struct, frozen=True, tag="failed"):
    """The job came to nothing: what happened, and what to do."""

    problem: str
    remedy: str


Event = Started | Stepped | HeldOut | Note | Moved | Finished | Failed

_decoder = msgspec.json.Decoder(Event)


def append(path: Path, event: Event) -> None:
    with path.open("ab") as log:
        log.write(msgspec.json.encode(event) + b"\n")


def say_failed(bundle: Path, fault: IdiolectError) -> int:
    """Say to whoever started a job, and to whoever follows its events, why it failed; return the exit code."""
    print(fault.problem, fault.remedy, file=sys.stderr)  # noqa: T201 - a program of its own
    if bundle.is_dir():
        append(bundle / "events.jsonl", Failed(fault.problem, fault.remedy))
    return fault.exit_code


def mend(path: Path) -> int:
    """Cut off a line that was torn when its writer was killed; return the size in bytes, 0 if there is no file."""
    if not path.exists():
        return 0
    whole_lines = path.read_bytes().rpartition(b"\n")
    size = len(whole_lines[0]) + len(whole_lines[1])
    os.truncate(path, size)
    return size


def decode(lines: bytes) -> Iterator[Event]:
    """Decode whole lines, which another computer may have written; a note stands for those that are no events."""
    odd = 0
    for line in lines.splitlines():
        try:
            event = _decoder.decode(line)
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            odd += 1
            continue
        match event:
            case Note(text):
                event = Note(plain(text))
            case Moved(what, done, total):
                event = Moved(plain(what), done, total)
        yield event
    if odd:
        yield Note(f"{odd} lines of what the training tells cannot be read.")
