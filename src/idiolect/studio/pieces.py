"""What pages are put together from. Text goes into labels, never into HTML."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any

from nicegui import ui

from idiolect.errors import IdiolectError

#: Colours that are legible on both grounds.
LOSS, HELD_OUT, GREY = "#5b9aa0", "#d08c3f", "#8a929b"

_STATES = {
    "succeeded": "good",
    "published": "good",
    "fits": "good",
    "failed": "bad",
    "cancelled": "warn",
    "interrupted": "warn",
    "cancelling": "warn",
    "too large": "warn",
}


def card(title: str = "") -> AbstractContextManager[ui.element]:
    """Return a card to fill."""
    section = ui.element("section").classes("card stack")
    if title:
        with section:
            heading(title)
    return section


def heading(title: str) -> ui.label:
    return ui.label(title).classes("card-title").props('role="heading" aria-level="2"')


def soft(text: str) -> ui.label:
    return ui.label(text).classes("soft")


def fault_card(fault: IdiolectError) -> None:
    """Show what happened and what to do."""
    with ui.element("div").classes("fault"):
        ui.label(fault.problem).classes("fault-problem")
        explained(fault.remedy, "fault-remedy")


def explained(text: str, classes: str = "soft small") -> None:
    """Show a text of the code; what stands in `backticks` there is something to be typed."""
    with ui.element("div").classes(classes):
        for place, piece in enumerate(text.split("`")):
            ui.label(piece).classes("mono inline" if place % 2 else "inline")


def state(word: str) -> ui.label:
    """Show in which state something is."""
    return ui.label(word).classes(f"state {_STATES.get(word, '')}")


def figure(value: str, what: str) -> None:
    """Show a figure, large, over what it is."""
    with ui.element("div"):
        ui.label(value).classes("figure")
        ui.label(what).classes("soft small")


def figures(pairs: Sequence[tuple[str, str]]) -> None:
    with ui.element("div").classes("figures"):
        for value, what in pairs:
            figure(value, what)


def table(columns: Sequence[str], rows: Sequence[Sequence[Any]], numbers: Sequence[int] = ()) -> None:
    """Show a small table; a cell is a text, or a function that fills it. Columns `numbers` stand to the right."""
    with ui.element("div").classes("scrolls").props('tabindex="0"'), ui.element("table").classes("table"):
        with ui.element("thead"), ui.element("tr"):
            for place, name in enumerate(columns):
                with ui.element("th").props('scope="col"').classes("number" if place in numbers else ""):
                    ui.label(name)
        with ui.element("tbody"):
            for row in rows:
                with ui.element("tr"):
                    for place, cell in enumerate(row):
                        with ui.element("td").classes("number" if place in numbers else ""):
                            cell() if callable(cell) else ui.label(cell)


async def sure(question: str, yes: str) -> bool:
    """Ask before something that cannot be taken back, or costs; return whether to do it."""
    with ui.dialog() as dialog, ui.element("div").classes("card stack asked"):
        ui.label(question).classes("pre")
        with ui.element("div").classes("line"):
            ui.button(yes, on_click=lambda: dialog.submit(True)).props("unelevated no-caps")
            ui.button("No", on_click=lambda: dialog.submit(False)).props("flat no-caps")
    said = bool(await dialog)
    dialog.delete()
    return said


def axis(name: str = "", **more: Any) -> dict[str, Any]:
    """Return an axis that is legible in light and dark."""
    quiet = {"lineStyle": {"color": "rgba(128,128,128,.25)"}}
    return {
        "name": name,
        "nameLocation": "middle",
        "nameGap": 28,
        "nameTextStyle": {"color": GREY},
        "axisLabel": {"color": GREY, "hideOverlap": True},
        "axisLine": quiet,
        "axisTick": {"show": False},
        "splitLine": quiet,
        **more,
    }


def chart(options: dict[str, Any], said: str) -> ui.echart:
    """Show a chart; `said` tells who does not see it what it shows. Tooltips are drawn, not HTML."""
    around = {
        "animation": False,
        "grid": {"left": 52, "right": 16, "top": 34, "bottom": 44},
        "tooltip": {"trigger": "axis", "renderMode": "richText"},
        "legend": {"top": 0, "left": 0, "icon": "roundRect", "itemWidth": 12, "textStyle": {"color": GREY}},
    }
    shown = ui.echart({**around, **options}).classes("chart")
    shown.props["role"], shown.props["aria-label"] = "img", said
    return shown
