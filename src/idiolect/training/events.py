"""Progress as events: JSON lines that the terminal, the log and whatever comes later all read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec


class Started(msgspec.Struct, frozen=True, tag="started"):
    """Training is about to begin."""

    samples: int
    held_out: int
    steps: int
    learned_tokens: int
    trained_parameters: int


class Stepped(msgspec.Struct, frozen=True, tag="step"):
    """An optimizer step was made; the loss is in nats a learned token, before the step."""

    step: int
    steps: int
    epoch: float
    loss: float
    learning_rate: float
    tokens_per_second: float
    seconds_left: float


class HeldOut(msgspec.Struct, frozen=True, tag="held_out"):
    """The held-out loss, in nats a token of the person's own replies; epoch 0 is before training."""

    epoch: float
    loss: float


class Note(msgspec.Struct, frozen=True, tag="note"):
    """Something that the person should know."""

    text: str


class Finished(msgspec.Struct, frozen=True, tag="finished"):
    """The outputs are in the bundle."""

    seconds: float


Event = Started | Stepped | HeldOut | Note | Finished

_decoder = msgspec.json.Decoder(Event)


def append(path: Path, event: Event) -> None:
    with path.open("ab") as log:
        log.write(msgspec.json.encode(event) + b"\n")


def decode(lines: bytes) -> Iterator[Event]:
    """Decode whole lines."""
    return (_decoder.decode(line) for line in lines.splitlines())
