"""A picture of how the loss fell, drawn from the events: an SVG file that any browser shows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from idiolect.training.events import Event, HeldOut, Stepped

Points = Sequence[tuple[float, float]]

_WIDTH, _HEIGHT = 720, 400
_LEFT, _RIGHT, _TOP, _BOTTOM = 60, 20, 40, 50
_TICKS = 5
#: So many steps before one and the one itself make a point of the smooth line.
_SMOOTH = 10


def loss_picture(events: Iterable[Event]) -> str:
    """Draw the loss of each step (nats a learned token), and the held-out loss after each epoch.

    Steps that were made again after an interruption are drawn as they were made last.
    """
    told = list(events)
    steps = {e.step: e for e in told if isinstance(e, Stepped)}
    trained = [(s.epoch, s.loss) for _, s in sorted(steps.items())]
    held_out = sorted({e.epoch: e.loss for e in told if isinstance(e, HeldOut)}.items())
    every = [*trained, *held_out]
    if not every:
        return _svg(['<text x="60" y="60">nothing was trained</text>'])
    right = max(x for x, _ in every) or 1.0
    low, high = min(y for _, y in every), max(y for _, y in every)
    room = (high - low) * 0.05 or 0.5
    scale = _Scale(right, low - room, high + room)
    dots = [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" class="held"/>' for x, y in map(scale.at, held_out)]
    values = [
        f'<text x="{x:.1f}" y="{y - 9:.1f}" class="held value">{loss:.3f}</text>'
        for (x, y), (_, loss) in zip(map(scale.at, held_out), held_out, strict=True)
    ]
    lines = [_line(scale, trained, "step"), _line(scale, _smooth(trained), "smooth"), _line(scale, held_out, "held")]
    return _svg([*_axes(scale), *lines, *dots, *values, *_legend()])


class _Scale:
    """From epochs and nats to places in the picture."""

    def __init__(self, right: float, low: float, high: float) -> None:
        self.right, self.low, self.high = right, low, high

    def at(self, point: tuple[float, float]) -> tuple[float, float]:
        x, y = point
        across, down = x / self.right, (self.high - y) / (self.high - self.low)
        return _LEFT + across * (_WIDTH - _LEFT - _RIGHT), _TOP + down * (_HEIGHT - _TOP - _BOTTOM)


def _axes(scale: _Scale) -> list[str]:
    drawn = []
    for n in range(_TICKS + 1):
        epoch = scale.right * n / _TICKS
        nats = scale.low + (scale.high - scale.low) * n / _TICKS
        x, y = scale.at((epoch, nats))
        drawn.append(f'<line x1="{_LEFT}" y1="{y:.1f}" x2="{_WIDTH - _RIGHT}" y2="{y:.1f}" class="grid"/>')
        drawn.append(f'<text x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{nats:.2f}</text>')
        drawn.append(f'<text x="{x:.1f}" y="{_HEIGHT - _BOTTOM + 18}" text-anchor="middle">{epoch:.3g}</text>')
    drawn.append(f'<text x="{_WIDTH / 2}" y="{_HEIGHT - 12}" text-anchor="middle">epoch</text>')
    return drawn


def _line(scale: _Scale, points: Points, kind: str) -> str:
    placed = " ".join(f"{x:.1f},{y:.1f}" for x, y in map(scale.at, points))
    return f'<polyline points="{placed}" class="{kind}"/>'


def _smooth(points: Points) -> Points:
    means = []
    for n, (x, _) in enumerate(points):
        last = [y for _, y in points[max(0, n - _SMOOTH) : n + 1]]
        means.append((x, sum(last) / len(last)))
    return means


def _legend() -> list[str]:
    said = [("smooth", "loss while training"), ("held", "held-out loss")]
    drawn = [f'<text x="{_LEFT}" y="20">nats a token</text>']
    for n, (kind, words) in enumerate(said):
        x = _WIDTH - _RIGHT - 300 + 170 * n
        drawn.append(f'<line x1="{x}" y1="16" x2="{x + 24}" y2="16" class="{kind}"/>')
        drawn.append(f'<text x="{x + 30}" y="20">{escape(words)}</text>')
    return drawn


def _svg(drawn: Sequence[str]) -> str:
    style = (
        "text{font:12px sans-serif;fill:#444}.value{text-anchor:middle;font-size:11px}.grid{stroke:#ddd}"
        "polyline,line{fill:none}.step{stroke:#bcd0e5;stroke-width:1}.smooth{stroke:#2f6db5;stroke-width:2}"
        "polyline.held,line.held{stroke:#c2571a;stroke-width:2}circle.held,text.held{fill:#c2571a}"
    )
    inside = "\n".join(drawn)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" '
        f'width="{_WIDTH}" height="{_HEIGHT}">\n<style>{style}</style>\n'
        f'<rect width="100%" height="100%" fill="#fff"/>\n{inside}\n</svg>\n'
    )
