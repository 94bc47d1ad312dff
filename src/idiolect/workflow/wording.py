"""Figures in words, the same on the command line and in the studio."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from idiolect.curation import Edit

_GIB = 1 << 30


def moment(when: datetime | None) -> str:
    """Return a moment in this computer's time, to the minute."""
    return f"{when.astimezone():%Y-%m-%d %H:%M}" if when else ""


def clock(seconds: float) -> str:
    """Return what something took, as 2:05 or 1:02:05."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}" if minutes >= 60 else f"{minutes}:{rest:02}"


def about(seconds: float | None) -> str:
    """Return what something may take, as 40 s, 12 min or 3.5 h."""
    if seconds is None:
        return "?"
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def megabytes(size: int) -> str:
    if size < 1e6:
        return f"{size / 1e3:,.0f} kB"
    return f"{size / 1e6:,.0f} MB" if size < 1e9 else f"{size / 1e9:,.1f} GB"


def gibibytes(size: int, decimals: int = 1) -> str:
    return f"{size / _GIB:,.{decimals}f} GiB"


def figure(value: Any) -> str:
    """Return a figure of a run: four digits of a fraction, a dash for what it has not."""
    if value is None:
        return "-"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def described(edit: Edit) -> str:
    """Return an edit in one line."""
    what = {
        "drop": "dropped",
        "keep": "kept, whatever rule judges it",
        "mode": f"mode {edit.mode}",
        "text": f"turn {edit.turn}: {edit.text!r}" if edit.text else f"turn {edit.turn} left out",
        "mask": f"masked: {edit.text!r}",
    }
    return f"{edit.memory}: {what[edit.do]}"
