"""What each quantization of a model costs, and which file to take: the smallest that loses little enough."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from idiolect.evaluation.fidelity import Loss
from idiolect.files import remove


class Quantized(msgspec.Struct, frozen=True, kw_only=True):
    """A model file: its size, and its loss (after) beside that of the weights that were trained (before)."""

    quantization: str
    bytes: int
    loss: Loss

    @property
    def lost(self) -> float:
        """Nats a token of the person's held-out replies that the file is worse than the weights."""
        return -self.loss.gain.value


@dataclass(frozen=True)
class ModelFile:
    """A model file that is there, or can be made: `make` writes it to a path, from which it is removed afterwards."""

    quantization: str
    path: Path
    make: Callable[[Path], object] | None = None

    @contextmanager
    def at_hand(self) -> Iterator[Path]:
        """Make the file, if it is not there, for as long as it is looked at."""
        if self.make is None:
            yield self.path
            return
        try:
            self.make(self.path)
            yield self.path
        finally:
            remove(self.path)


def smallest(found: Sequence[Quantized], most: float) -> Quantized | None:
    """Return the smallest file that loses at most so much (nats a token), if there is one."""
    near = [q for q in found if q.lost <= most]
    return min(near, key=lambda q: q.bytes) if near else None


def advice(found: Sequence[Quantized], most: float, own: str, label: str) -> str:
    """Say in a sentence or two which file to take; `own` is the quantization that the run has."""
    if not found:
        return ""
    best = smallest(found, most)
    nearest = best or min(found, key=lambda q: q.lost)
    losses = ", ".join(f"{q.quantization} ({q.bytes / 1e6:,.0f} MB) {q.lost:.3f}" for q in found)
    which = f"the smallest within {most:g} is" if best else f"none stays within {most:g}; nearest is"
    how = f" (idiolect export --run {label} --quantization {nearest.quantization})"
    return (
        f"Nats a token lost to quantization: {losses}; {which} {nearest.quantization}"
        f"{'' if nearest.quantization == own else how}."
    )
