"""Data set: every sample and every memory that was left out, why, and what the person decides otherwise."""

from __future__ import annotations

import os
from collections.abc import Callable

from nicegui import run, ui

from idiolect.config import MODES
from idiolect.dataset import figures as quality_figures
from idiolect.errors import IdiolectError
from idiolect.studio.edited import described_edits
from idiolect.studio.frame import Visit, address
from idiolect.studio.memory import FATES, MemoryDialog, fate_in_words
from idiolect.studio.pieces import card, figures, soft, state, table
from idiolect.studio.windowed import Cells, Windowed
from idiolect.workflow.data import editing
from idiolect.workflow.data.dataset import make_dataset
from idiolect.workflow.models.browsing import LAST_MADE, Browsable, browse, find_fates, find_samples, own_words
from idiolect.workflow.planning.plan import Asked

_ALL = ""


async def dataset_page(visit: Visit) -> None:
    if visit.person is None:
        with card("Nobody is here yet"):
            ui.link("Import something first", "/import").classes("way-on")
        return
    await DataSet(visit, visit.person).look()


class DataSet:
    """A data set that is looked through, and the edits that the next one will have."""

    def __init__(self, visit: Visit, person: str) -> None:
        self.visit = visit
        self.person = person

    async def look(self) -> None:
        """Show what there is; where nothing was made yet, how to make it."""
        found: Browsable | None = None
        try:
            found = await run.io_bound(browse, self.visit.home, self.person, self.visit.query.get("run"))
        except IdiolectError as fault:
            if self.visit.query.get("run"):
                self.visit.show(fault)
        self._show_made(found)
        self.edits = ui.element("div")
        self.memory = MemoryDialog(self.visit, self.person, self._edited)
        if found:
            self._show_samples(found)
            self._show_memories(found)
        await self._edited()
        if found and found.quality:
            with card("Quality"):
                table(["", "", "wanted"], quality_figures(found.quality), numbers=[1])

    def _show_made(self, found: Browsable | None) -> None:
        with card("No data set was made yet" if found is None else ""):
            if found:
                with ui.element("div").classes("line"):
                    ui.label("Last made" if found.name == LAST_MADE else found.name).classes("card-title").props(
                        'role="heading" aria-level="2"'
                    )
                    if found.name != LAST_MADE:
                        ui.link("its run", address("/runs", person=self.person, run=found.name))
                held_out = sum(s.split == "held_out" for s in found.samples)
                figures(
                    [
                        (f"{len(found.samples):,}", "samples"),
                        (f"{len(found.samples) - held_out:,}", "to learn from"),
                        (f"{held_out:,}", "held out"),
                        (f"{len(found.fates):,}", "memories"),
                        (f"{sum(f.fate == 'dropped' for f in found.fates):,}", "left out"),
                    ]
                )
            with ui.element("div").classes("line"):
                self.button = ui.button("Make it anew" if found else "Make it", on_click=self._make)
                self.button.props("unelevated no-caps")
                self.told = soft("Nothing is trained by that.").props('aria-live="polite"')

    async def _make(self) -> None:
        self.button.disable()
        told: list[str] = []
        following = ui.timer(0.2, lambda: self.told.set_text(told[-1] if told else "Reading the memories …"))
        asked = Asked(self.person, os.environ, {})
        made = await self.visit.ask(
            make_dataset, self.visit.home, asked, lambda step, outcome: told.append(f"{step}: {outcome}")
        )
        following.cancel()
        self.button.enable()
        if made is not None:
            ui.navigate.to(address("/dataset", person=self.person))

    def _show_samples(self, found: Browsable) -> None:
        fates = found.of_memory()

        def cells(place: int) -> Cells:
            sample = found.samples[place]
            memory = fates[sample.sample].memory if sample.sample in fates else ""
            edited = ", edited" if sample.sample in fates and "by hand" in fates[sample.sample].detail else ""
            split = "held out" if sample.split == "held_out" else "learned"
            return Cells(own_words(sample), f"{place + 1:,} · {split}{edited} · {memory}", sample.mode)

        async def opened(place: int) -> None:
            sample = found.samples[place]
            await self.memory.open(fates[sample.sample], sample)

        with card("Samples"):
            with ui.element("div").classes("line"):
                words = ui.input(placeholder="Words or a memory").props(_SEARCH).classes("searched")
                mode = _choice("Mode", {_ALL: "every mode", **{m: m for m in MODES}})
                splits = {_ALL: "all", "train": "learned from", "held_out": "held out"}
                split = _choice("Split", splits)
            shown = Windowed("Samples", cells, opened)

            def search() -> None:
                chosen = find_samples(found, words.value or "", mode.value or None, split.value or None)
                shown.show(chosen, len(found.samples))

            _search_when_changed(search, words, mode, split)

    def _show_memories(self, found: Browsable) -> None:
        samples = {s.sample: s for s in reversed(found.samples)}

        def cells(place: int) -> Cells:
            fate = found.fates[place]
            said = own_words(samples[fate.sample]) if fate.sample in samples else ""
            return Cells(fate.memory, fate.detail or said, fate_in_words(fate))

        async def opened(place: int) -> None:
            fate = found.fates[place]
            await self.memory.open(fate, samples.get(fate.sample))

        with card("Memories and what became of them"):
            rules = {_ALL: "whatever became of them"}
            rules |= {rule: f"{FATES.get(rule, rule)} ({count:,})" for rule, count in found.rules().items()}
            with ui.element("div").classes("line"):
                words = ui.input(placeholder="A memory, or a reason").props(_SEARCH).classes("searched")
                rule = _choice("Fate", rules)
            shown = Windowed("Memories", cells, opened)

            def search() -> None:
                shown.show(find_fates(found, words.value or "", rule.value or None), len(found.fates))

            _search_when_changed(search, words, rule)

    async def _edited(self) -> None:
        """Show the edits as they are now."""
        listed = await self.visit.ask(editing.listed, self.visit.home, self.person)
        self.edits.clear()
        if listed:
            with self.edits, card("Edited by hand"):
                with ui.element("div").classes("line"):
                    state(f"{len(listed):,}")
                    soft("They hold in every data set from the next one on; memories stay as they are.")
                described_edits(listed, self._undo)

    async def _undo(self, edit: str) -> None:
        if await self.visit.ask(editing.undo, self.visit.home, self.person, edit):
            await self._edited()


_SEARCH = 'outlined dense clearable debounce=250 aria-label="Search"'


def _choice(name: str, options: dict[str, str]) -> ui.select:
    return ui.select(options, value=_ALL).props(f'outlined dense options-dense aria-label="{name}"')


def _search_when_changed(search: Callable[[], None], *fields: ui.input | ui.select) -> None:
    for field in fields:
        field.on_value_change(search)
    search()
