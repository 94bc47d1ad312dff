"""What is around every page: name, ways to the others, the person it is about, and faults where they are seen."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import ParamSpec, TypeVar
from urllib.parse import urlencode

from fastapi import Request
from nicegui import run, ui

from idiolect.errors import IdiolectError
from idiolect.home import Home
from idiolect.studio.pieces import fault_card

P = ParamSpec("P")
T = TypeVar("T")

#: White on it is legible, and it on both grounds.
_ACCENT = "#2f7a7d"


@dataclass(frozen=True)
class Visit:
    """A page that somebody has opened: of which home, about which person, and what else its address says."""

    home: Home
    person: str | None
    """One who has a profile; None where nobody has."""
    query: Mapping[str, str]
    faults: ui.element
    """Where faults are shown."""

    async def ask(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T | None:
        """Call what may take a while, beside the page; show its fault instead of it, and return None then."""
        if self.faults.client.has_socket_connection:
            # What is asked while the page is built leaves the faults of what was asked before.
            self.faults.clear()
        try:
            return await run.io_bound(function, *args, **kwargs)
        except IdiolectError as fault:
            self.show(fault)
            return None

    def show(self, fault: IdiolectError) -> None:
        """Show what happened and what to do, above the page."""
        self.faults.clear()
        with self.faults:
            fault_card(fault)
        ui.run_javascript("window.scrollTo({top: 0})")


@dataclass(frozen=True)
class Page:
    """One page of the studio; `build` fills it, and may be a coroutine function."""

    title: str
    build: Callable[[Visit], Awaitable[None] | None]


def address(path: str, **query: str | None) -> str:
    """Return the address of a page with what it is about."""
    said = urlencode({name: value for name, value in query.items() if value})
    return f"{path}?{said}" if said else path


def framed(home: Home, pages: Mapping[str, Page], path: str) -> Callable[[Request], Awaitable[None]]:
    """Return the function that NiceGUI calls when a page is opened."""

    async def opened(request: Request) -> None:
        people = home.people()
        asked = request.query_params.get("person")
        person = asked if asked in people else next(iter(people), None)
        ui.colors(primary=_ACCENT)
        _header(pages, path, people, person)
        with ui.element("main").classes("page").props('id="content"'):
            ui.label(pages[path].title).classes("title").props('role="heading" aria-level="1"')
            faults = ui.element("div").props('role="alert"')
            content = ui.element("div").classes("content")
        visit = Visit(home, person, dict(request.query_params), faults)
        with content:
            await _built(pages[path], visit)

    return opened


async def _built(page: Page, visit: Visit) -> None:
    try:
        building = page.build(visit)
        if inspect.isawaitable(building):
            await building
    except IdiolectError as fault:
        visit.show(fault)


def _header(pages: Mapping[str, Page], path: str, people: list[str], person: str | None) -> None:
    with ui.element("header").classes("bar"):
        ui.link("To the page itself", "#content").classes("skip")
        ui.label("Idiolect").classes("brand")
        with ui.element("nav").classes("ways").props('aria-label="Pages"'):
            for to, page in pages.items():
                way = ui.link(page.title, address(to, person=person)).classes("way")
                if to == path:
                    way.classes("here").props('aria-current="page"')
        if people:
            ui.select(people, value=person, on_change=lambda e: ui.navigate.to(address(path, person=e.value))).props(
                'outlined dense options-dense aria-label="Person"'
            ).classes("person")
