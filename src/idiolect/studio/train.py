"""Train: what can be set, what it will take, to start it; and the run that goes on."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from nicegui import background_tasks, run, ui

from idiolect.config import Settings, described_options
from idiolect.config import resolve as resolve_settings
from idiolect.errors import IdiolectError, NeedsConsent
from idiolect.home import CYCLES, FULL, Cycle
from idiolect.studio.form import Form
from idiolect.studio.frame import Visit, address
from idiolect.studio.pieces import card, fault_card, soft, state, sure, table
from idiolect.studio.watching import Watching
from idiolect.workflow.detached import start
from idiolect.workflow.planning.estimate import Estimate, estimate
from idiolect.workflow.planning.plan import Asked
from idiolect.workflow.records.lock import holder
from idiolect.workflow.watching import Watch
from idiolect.workflow.wording import about, gibibytes

#: What nearly everybody looks at; the others are a click away.
_FIRST = ("base_model", "num_train_epochs", "learning_rate", "max_samples", "machine", "publish")
#: What a person says when they are asked.
_ASKED_FOR = ("yes", "accept_host_key")
_CYCLES = {"full-cycle": "A LoRA adapter", "fine-tune-cycle": "Every weight"}


async def train_page(visit: Visit) -> None:
    if visit.person is None:
        with card("Nobody is here yet"):
            ui.link("Import something first", "/import").classes("way-on")
        return
    going_on = holder(visit.home.profile(visit.person))
    label = visit.query.get("run") or (going_on.label if going_on else None)
    if label and (watch := await visit.ask(_watch, visit, label)):
        await Watching(visit, watch).look()
    await NewRun(visit, visit.person, CYCLES.get(visit.query.get("cycle", ""), FULL)).look()


def _watch(visit: Visit, label: str) -> Watch | None:
    """Return what watches a run; what holds the lock may be an import, which is none."""
    try:
        return Watch(visit.home, visit.person or "", label)
    except IdiolectError:
        if visit.query.get("run"):
            raise
        return None


class NewRun:
    """The form of a run that is not begun yet, and its plan, which follows it."""

    def __init__(self, visit: Visit, person: str, cycle: Cycle) -> None:
        self.visit = visit
        self.person = person
        self.cycle = cycle
        self._asked_last = 0
        settings = self._settings({})
        values = settings.options.model_dump() if settings else {}
        options = [o for o in described_options(cycle.trains) if o.name not in _ASKED_FOR]
        with ui.element("div").classes("columns"):
            with card("A new run"):
                ui.toggle(_CYCLES, value=cycle.name, on_change=lambda e: self._other_cycle(e.value)).props(
                    'no-caps unelevated spread aria-label="Cycle"'
                ).classes("cycles")
                first = [o for o in options if o.name in _FIRST]
                self.forms = [Form(sorted(first, key=lambda o: _FIRST.index(o.name)), values, self._changed)]
                with ui.expansion("All other options").classes("more"):
                    self.forms.append(Form([o for o in options if o.name not in _FIRST], values, self._changed))
            with card("What it will take"):
                self.plan = ui.element("div").classes("stack").props('aria-live="polite"')
                self.button = ui.button("Start", on_click=self._start).props("unelevated no-caps size=md")
                soft("It runs in a process of its own: this page, and the studio, may be closed.").classes("small")

    @property
    def asked(self) -> Asked:
        chosen = {name: value for form in self.forms for name, value in form.chosen.items()}
        return Asked(self.person, os.environ, chosen)

    async def look(self) -> None:
        """Show where each value comes from, and the plan of what is chosen now."""
        self._asked_last += 1
        number, asked = self._asked_last, self.asked
        if settings := self._settings(asked.flags):
            for form in self.forms:
                form.show_layers(settings.origins)
        self._show_waiting()
        background_tasks.create(self._estimate(number, asked))

    def _changed(self) -> None:
        background_tasks.create(self.look())

    async def _estimate(self, number: int, asked: Asked) -> None:
        found: Estimate | IdiolectError | None
        try:
            found = await run.io_bound(estimate, self.visit.home, asked, None)
        except IdiolectError as fault:
            found = fault
        if number == self._asked_last and found is not None:
            self.plan.clear()
            with self.plan:
                fault_card(found) if isinstance(found, IdiolectError) else _show_plan(found, self.cycle)

    def _settings(self, flags: Mapping[str, Any]) -> Settings | None:
        try:
            return resolve_settings(self.visit.home, self.person, os.environ, flags, self.cycle)
        except IdiolectError:
            return None  # the plan says what is wrong

    def _show_waiting(self) -> None:
        self.plan.clear()
        with self.plan:
            soft("Reckoning …")

    def _other_cycle(self, name: str) -> None:
        ui.navigate.to(address("/train", person=self.person, cycle=name))

    async def _start(self) -> None:
        self.button.disable()
        await self._begin(self.asked)
        self.button.enable()

    async def _begin(self, asked: Asked) -> None:
        try:
            label = await run.io_bound(start, self.visit.home, asked, self.cycle)
        except NeedsConsent as fault:
            if await sure(f"{fault.problem}\n{fault.remedy}", "Yes, go on"):
                await self._begin(replace(asked, flags={**asked.flags, fault.flag: True}))
        except IdiolectError as fault:
            self.visit.show(fault)
        else:
            ui.navigate.to(address("/train", person=self.person, run=label))


def _show_plan(found: Estimate, cycle: Cycle) -> None:
    ui.label(found.base_model).classes("mono")
    soft(f"{found.architecture}, {found.parameters:,} weights").classes("small")
    soft(f"{found.work.samples:,} samples, {found.work.tokens:,} tokens an epoch ({found.work.source})").classes(
        "small"
    )
    for note in found.notes:
        soft(note).classes("small")
    rows = []
    for f in (f for f in found.forecasts if f.trains == cycle.trains):
        price = f"{f.dollars:,.2f} $" if f.fits and f.dollars is not None else "–"
        fits = "fits" if f.fits else "too large"
        rows.append(
            [f.machine, gibibytes(f.memory.peak), about(f.seconds) if f.fits else "–", price, lambda w=fits: state(w)]
        )
    table(["machine", "memory", "time", "price", ""], rows, numbers=[1, 2, 3])
    changes = {f.change for f in found.forecasts if f.trains == cycle.trains and not f.fits and f.change}
    for change in sorted(changes):
        soft(f"To make it fit: {change}").classes("small")
