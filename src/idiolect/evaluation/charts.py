"""Figures as places on a scale, for the report: marks with intervals on tracks, lines over steps, runs over months."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from idiolect.evaluation.resampling import Estimate

_LEAST_NATS = 0.5


@dataclass(frozen=True)
class Mark:
    """Whose figure, in words, and where it stands: the point, the interval's start and length, in percent."""

    who: str
    shown: str
    at: float
    start: float
    length: float


@dataclass(frozen=True)
class Track:
    """A row of a chart: what it is about, and its marks."""

    name: str
    note: str
    marks: tuple[Mark, ...]


@dataclass(frozen=True)
class Chart:
    """Tracks on one scale, whose ends are said."""

    low: str
    high: str
    tracks: tuple[Track, ...]


Row = tuple[str, str, Mapping[str, Estimate]]


def chart(rows: Sequence[Row], form: str = "{:.2f}", span: tuple[float, float] | None = None) -> Chart | None:
    """Lay rows (name, note, who → figure) on one scale: `span`, or what the intervals span; None without rows."""
    figures = [figure for _, _, marks in rows for figure in marks.values()]
    if not figures:
        return None
    low, high = span or _rounded(min(f.low for f in figures), max(f.high for f in figures))

    def place(value: float) -> float:
        return 100 * min(max((value - low) / (high - low), 0.0), 1.0)

    tracks = tuple(
        Track(
            name,
            note,
            tuple(
                Mark(who, form.format(f.value), place(f.value), place(f.low), place(f.high) - place(f.low))
                for who, f in marks.items()
            ),
        )
        for name, note, marks in rows
    )
    return Chart(form.format(low), form.format(high), tracks)


@dataclass(frozen=True)
class Curve:
    """Losses over steps in a box of 100 by 100: a line as SVG wants its points, and single points."""

    line: str
    points: tuple[tuple[float, float, str], ...]
    low: str
    high: str
    steps: int


def curve(losses: Sequence[tuple[int, float]], points: Sequence[tuple[float, float]]) -> Curve | None:
    """Draw training losses by step, and held-out losses at a share of the way; None without losses."""
    if not losses:
        return None
    values = [loss for _, loss in losses] + [loss for _, loss in points]
    low, high = _rounded(min(values), max(values))
    last = max(step for step, _ in losses)

    def height(loss: float) -> float:
        return round(100 - 100 * (loss - low) / (high - low), 2)

    line = " ".join(f"{round(100 * step / last, 2)},{height(loss)}" for step, loss in losses)
    dots = tuple((round(100 * share, 2), height(loss), f"{loss:.3f}") for share, loss in points)
    return Curve(line, dots, f"{low:g}", f"{high:g}", last)


@dataclass(frozen=True)
class Moment:
    """One run's figure in a box of 100 by 100, from its upper left: where it stands, and its interval."""

    kind: str
    told: str
    x: float
    y: float
    top: float
    height: float


@dataclass(frozen=True)
class Course:
    """How one figure went from run to run: its moments, the line through them, and the ends of the scale."""

    name: str
    note: str
    moments: tuple[Moment, ...]
    line: str
    low: str
    high: str


#: A figure and its run's number, and what is said of it.
Stop = tuple[int, Estimate, str, str]


def course(name: str, note: str, stops: Sequence[Stop], runs: int) -> Course:
    """Draw a figure of some of `runs` runs: stops are (number of the run, figure, kind of mark, whose in words)."""
    low, high = _at_least(*_rounded(min(f.low for _, f, _, _ in stops), max(f.high for _, f, _, _ in stops)))

    def height(value: float) -> float:
        return round(100 - 100 * (value - low) / (high - low), 2)

    moments = tuple(
        Moment(
            kind,
            f"{whose}: {f.value:.3f} ({f.low:.3f} to {f.high:.3f})",
            round(100 * (number + 0.5) / runs, 2),
            height(f.value),
            height(f.high),
            round(height(f.low) - height(f.high), 2),
        )
        for number, f, kind, whose in stops
    )
    return Course(name, note, moments, " ".join(f"{m.x},{m.y}" for m in moments), f"{low:g}", f"{high:g}")


def _at_least(low: float, high: float) -> tuple[float, float]:
    """Widen a scale to half a nat, so that noise does not look like mountains."""
    lacking = max(_LEAST_NATS - (high - low), 0.0)
    return round(low - lacking / 2, 3), round(high + lacking / 2, 3)


def _rounded(low: float, high: float) -> tuple[float, float]:
    """Widen a span to round ends: a twentieth of it may stay empty at each."""
    width = max(high - low, 1e-3)
    unit = 10 ** math.floor(math.log10(width)) / 2
    return round(math.floor(low / unit) * unit, 6), round(math.ceil(high / unit) * unit, 6)
