"""Home: the people, and what there is of each."""

from __future__ import annotations

from nicegui import ui

from idiolect.studio.frame import Visit


def home_page(visit: Visit) -> None:
    if visit.person is None:
        with ui.element("section").classes("card"):
            ui.label("Nobody is here yet").classes("card-title")
            ui.label("Import something that somebody wrote, and they will be.").classes("soft")
