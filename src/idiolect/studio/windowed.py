"""A list of any length, of which the browser holds only the rows around the place that it is scrolled to."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, NamedTuple

from nicegui import ui

from idiolect.studio.pieces import soft

#: Pixels; the style sheet says the same.
_ROW = 58
#: Rows that there are: those that are seen (half a screen), and as many again above and below.
_HELD = 32
_ABOVE = 10


class Cells(NamedTuple):
    """What stands in a row: a line, what is to be said below it, and a word on its state."""

    title: str
    below: str
    state: str


class Windowed:
    """Shows rows by their places; what stands in them is asked for as they are scrolled to.

    A row keeps its element as long as it is near, so that the focus stays with what it is on.
    """

    def __init__(self, what: str, cells: Callable[[int], Cells], opened: Callable[[int], Awaitable[None]]) -> None:
        self._what = what
        self._cells = cells
        self._opened = opened
        self._places: Sequence[int] = ()
        self._held: list[int | None] = [None] * _HELD
        self._first = 0
        self._count = soft("").props('aria-live="polite"')
        # A scroll event brings nothing but how far: what stands there is the server's to say.
        frame = ui.element("div").classes("windowed").props(f'tabindex="0" role="group" aria-label="{what}"')
        frame.on("scroll", self._scrolled, js_handler="(e) => emit(e.target.scrollTop)", throttle=0.04)
        with frame:
            self._height = ui.element("div").classes("windowed-rows")
        with self._height:
            self._rows = [_Row(self._open_at(slot)) for slot in range(_HELD)]

    def show(self, places: Sequence[int], of: int) -> None:
        """Show these rows, of so many that there are."""
        self._places = places
        self._held = [None] * _HELD
        self._count.set_text(f"{len(places):,} of {of:,}" if len(places) != of else f"{of:,} {self._what.lower()}")
        self._height.style(f"height: {len(places) * _ROW}px")
        self._fill()

    def _scrolled(self, event: Any) -> None:
        top = event.args
        if isinstance(top, (int, float)):
            self._first = max(int(top) // _ROW - _ABOVE, 0)
            self._fill()

    def _fill(self) -> None:
        """Give each row that is held a place near the first; one that has it already stays as it is."""
        self._first = max(min(self._first, len(self._places) - _HELD), 0)
        for number in range(self._first, self._first + _HELD):
            slot = number % _HELD
            if number >= len(self._places):
                self._rows[slot].hide()
                self._held[slot] = None
            elif self._held[slot] != number:
                self._rows[slot].show(self._cells(self._places[number]), number * _ROW)
                self._held[slot] = number

    def _open_at(self, slot: int) -> Callable[[], Awaitable[None]]:
        async def opened() -> None:
            number = self._held[slot]
            if number is not None and number < len(self._places):
                await self._opened(self._places[number])

        return opened


class _Row:
    def __init__(self, opened: Callable[[], Awaitable[None]]) -> None:
        self._row = ui.element("button").classes("windowed-row").props('type="button"').on("click", opened)
        with self._row:
            with ui.element("div").classes("windowed-text"):
                self._title = ui.label().classes("cut")
                self._below = ui.label().classes("cut soft small")
            self._state = ui.label().classes("state")
        self.hide()

    def hide(self) -> None:
        self._row.set_visibility(False)

    def show(self, cells: Cells, top: int) -> None:
        self._row.set_visibility(True)
        self._row.style(f"transform: translateY({top}px)")
        self._title.set_text(cells.title)
        self._below.set_text(cells.below)
        self._state.set_text(cells.state)
