"""One memory, opened: what the model sees of it, its turns, and all that can be decided about it by hand."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from nicegui import ui

from idiolect.config import MODES
from idiolect.curation import Fate
from idiolect.dataset import TrainingText
from idiolect.studio.edited import described_edits
from idiolect.studio.frame import Visit
from idiolect.studio.pieces import heading, soft, state
from idiolect.workflow.data import editing
from idiolect.workflow.data.editing import EditableTurn, Listed, Opened
from idiolect.workflow.models.browsing import parts

#: What fates are called on pages.
FATES = {"train": "learned", "held_out": "held out"}


def fate_in_words(fate: Fate) -> str:
    """Return what became of a memory, or the rule by which it was dropped."""
    return fate.rule or FATES.get(fate.fate, fate.fate)


class MemoryDialog:
    """Opens a memory over the page; `edited` is called after whatever was decided."""

    def __init__(self, visit: Visit, person: str, edited: Callable[[], Awaitable[None]]) -> None:
        self.visit = visit
        self.person = person
        self.edited = edited
        self._fate = Fate(memory="", fate="kept")
        self._sample: TrainingText | None = None
        self.dialog = ui.dialog()
        with self.dialog:
            self.body = ui.element("div").classes("card stack opened")

    async def open(self, fate: Fate, sample: TrainingText | None) -> None:
        """Open the memory of a fate, with the sample that the data set made of it, if it did."""
        self._fate, self._sample = fate, sample
        if await self._show():
            self.dialog.open()

    async def _show(self) -> bool:
        opened = await self.visit.ask(editing.open_memory, self.visit.home, self.person, self._fate.memory)
        if opened is None:
            self.dialog.close()
            return False
        self.body.clear()
        with self.body:
            self._head(opened)
            if self._sample:
                _as_the_model_sees(self._sample)
            self._turns(opened)
            self._mode_and_mask(opened)
            if opened.edits:
                heading("Decided by hand")
                described_edits([Listed(e, "") for e in opened.edits], self._undo)
        return True

    def _head(self, opened: Opened) -> None:
        with ui.element("div").classes("line between opened-head"):
            ui.label(opened.source).classes("card-title mono").props('role="heading" aria-level="2"')
            ui.button(icon="close", on_click=self.dialog.close).props('flat round dense aria-label="Close"')
        with ui.element("div").classes("line"):
            state(fate_in_words(self._fate))
            soft(" · ".join(filter(None, (opened.type, self._fate.detail))))
        kinds = {edit.do for edit in opened.edits}
        rule = opened.rule or self._fate.rule
        with ui.element("div").classes("line"):
            if "drop" in kinds or (rule and editing.can_be_restored(rule) and "keep" not in kinds):
                ui.button("Restore", on_click=partial(self._decide, editing.restore)).props("outline no-caps")
            if "drop" not in kinds:
                drop = ui.button("Drop", on_click=partial(self._decide, editing.drop))
                drop.props("outline no-caps color=negative")
            if rule and not editing.can_be_restored(rule):
                soft("This rule is no judgement that you could overrule.").classes("small")

    def _turns(self, opened: Opened) -> None:
        heading("What stands in the memory")
        for turn in opened.turns:
            self._turn(turn)

    def _turn(self, turn: EditableTurn) -> None:
        who = "They say" if turn.speaker == "person" else "They are asked"
        with ui.element("div").classes("turn theirs" if turn.speaker == "person" else "turn"):
            with ui.element("div").classes("line"):
                ui.label(f"{turn.number}  {who}").classes("soft small")
                if turn.edited is not None:
                    state("edited" if turn.edited else "left out")
            text = ui.textarea(value=turn.text if turn.edited is None else turn.edited)
            text.props(f'outlined dense autogrow aria-label="Turn {turn.number}"')

            async def save() -> None:
                await self._decide(editing.set_text, turn.number, text.value or "")

            button = ui.button("Save this turn", on_click=save).props("flat dense no-caps")
            button.bind_visibility_from(
                text, "value", lambda now: now != (turn.text if turn.edited is None else turn.edited)
            )

    def _mode_and_mask(self, opened: Opened) -> None:
        with ui.element("div").classes("line"):
            mode = opened.sample.mode if opened.sample else None
            chosen = ui.select(list(MODES), value=mode, label="Mode").props("outlined dense options-dense")
            chosen.classes("mode")

            async def other_mode() -> None:
                if chosen.value != mode:
                    await self._decide(editing.set_mode, chosen.value)

            chosen.on_value_change(other_mode)
            piece = ui.input(label="A piece to mask, letter by letter").props("outlined dense").classes("piece")

            async def hide() -> None:
                await self._decide(editing.mask_piece, piece.value or "")

            ui.button("Mask it", on_click=hide).props("outline no-caps")

    async def _decide(self, verb: Callable[..., Any], *what: Any) -> None:
        """Carry out a decision; a fault is shown above the page, which the closed dialog lets be seen."""

        def decide() -> Any:
            return verb(self.visit.home, self.person, self._fate.memory, *what) or "taken back"

        if await self.visit.ask(decide) is None:
            self.dialog.close()
            return
        ui.notify("It holds from the next data set on.")
        await self._show()
        await self.edited()

    async def _undo(self, edit: str) -> None:
        if await self.visit.ask(editing.undo, self.visit.home, self.person, edit):
            await self._show()
            await self.edited()


def _as_the_model_sees(sample: TrainingText) -> None:
    with ui.element("div").classes("line"):
        heading("As the model sees it")
        ui.label("what is coloured is learned").classes("learned small")
    with ui.element("div").classes("rendered").props('tabindex="0"'):
        for text, learned in parts(sample):
            ui.label(text).classes("inline learned" if learned else "inline")
