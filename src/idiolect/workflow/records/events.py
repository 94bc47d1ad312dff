"""What a cycle tells while it runs, beside training's own events; `run.log` is written from it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from idiolect.training import Event, Finished, HeldOut, Note, Started, Stepped


@dataclass(frozen=True)
class Began:
    """A step begins; `again` says why, if it was done before."""

    step: str
    again: str | None = None


@dataclass(frozen=True)
class Ended:
    """A step has ended, now or in an earlier try; `outcome` says in a line what came of it."""

    step: str
    outcome: str
    seconds: float
    now: bool = True


@dataclass(frozen=True)
class Written:
    """So many bytes of the model or its GGUF are written."""

    done: int
    total: int


Tell = Callable[[Event | Written | Began | Ended], None]


def logged(log: Path, tell: Tell) -> Tell:
    """Return a listener that writes a line of `log` for what is told, and tells it on."""

    def listen(event: Event | Written | Began | Ended) -> None:
        if line := _line(event):
            write_line(log, line)
        tell(event)

    return listen


def write_line(log: Path, line: str) -> None:
    with log.open("a", encoding="utf-8") as file:
        file.write(f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} {line}\n")


def _line(event: Event | Written | Began | Ended) -> str:
    line = ""
    match event:
        case Began(step, again):
            line = f"{step} begins" + (f" again; {again}" if again else "")
        case Ended(step, outcome, seconds, True):
            line = f"{step} has ended after {seconds:.2f} s: {outcome}"
        case Ended(step, outcome):
            line = f"{step} was done before: {outcome}"
        case Started():
            line = f"training: {event.samples} samples, {event.learned_tokens} tokens to learn, {event.steps} steps"
        case Stepped():
            line = f"training: step {event.step}/{event.steps}, loss {event.loss:.4f}"
        case HeldOut(epoch, loss):
            line = f"training: held-out loss {loss:.4f} after epoch {epoch:g}"
        case Note(text):
            line = text
        case Finished(seconds):
            line = f"training: finished after {seconds:.1f} s"
    return line
