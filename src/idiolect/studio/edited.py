"""Edits in a list, each with a button that takes it back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from nicegui import ui

from idiolect.studio.pieces import soft
from idiolect.workflow.data.editing import Listed
from idiolect.workflow.wording import described

_MOST = 200


def described_edits(listed: Sequence[Listed], undo: Callable[[str], Awaitable[None]]) -> None:
    """Show edits, the newest first, with what is not applied."""
    with ui.element("div").classes("edits"):
        for one in list(reversed(listed))[:_MOST]:
            with ui.element("div").classes("line between edit"):
                with ui.element("div").classes("edit-text"):
                    ui.label(described(one.edit))
                    if one.problem:
                        ui.label(f"not applied: {one.problem}").classes("state warn")
                ui.button("Undo", on_click=partial(undo, one.edit.id)).props("flat dense no-caps")
    if len(listed) > _MOST:
        soft(f"and {len(listed) - _MOST:,} more: idiolect dataset edits")
