"""The blind test on a page: a pair at a time, and which answer is theirs is for the person to say."""

from __future__ import annotations

from functools import partial
from secrets import randbits

from nicegui import ui

from idiolect.evaluation import Pair
from idiolect.studio.frame import Visit
from idiolect.studio.pieces import card, heading, soft
from idiolect.workflow.models.evaluating import blind_test, keep_blind


def blind_card(visit: Visit, person: str, label: str) -> None:
    with card("Blind test"):
        body = ui.element("div").classes("stack")
    _Blind(visit, person, label, body).offer()


class _Blind:
    """One test, from its first pair to its result, which goes into the run's report."""

    def __init__(self, visit: Visit, person: str, label: str, body: ui.element) -> None:
        self.visit = visit
        self.person = person
        self.label = label
        self.body = body

    def offer(self) -> None:
        self.body.clear()
        with self.body:
            soft("Two answers to the same question, one of which is really yours: can you tell?")
            with ui.element("div").classes("line"):
                ui.button("Begin", on_click=self._begin).props("outline no-caps")

    async def _begin(self) -> None:
        found = await self.visit.ask(blind_test, self.visit.home, self.person, self.label, randbits(32))
        if found:
            self.finished, self.pairs = found
            self.chosen: list[int] = []
            self._show(self.pairs[0])

    def _show(self, pair: Pair) -> None:
        self.body.clear()
        with self.body:
            soft(f"{len(self.chosen) + 1} of {len(self.pairs)}: which is yours?")
            heading(pair.prompt)
            with ui.element("div").classes("pair"):
                for side, text in enumerate(pair.answers):
                    with (
                        ui.element("button")
                        .classes("said")
                        .props('type="button"')
                        .on("click", partial(self._choose, side))
                    ):
                        ui.label(text)
            with ui.element("div").classes("line"):
                ui.button("That is enough", on_click=self._end).props("flat no-caps")

    async def _choose(self, side: int) -> None:
        self.chosen.append(side)
        if len(self.chosen) < len(self.pairs):
            self._show(self.pairs[len(self.chosen)])
        else:
            await self._end()

    async def _end(self) -> None:
        if not self.chosen:
            self.offer()
            return
        asked = self.pairs[: len(self.chosen)]
        result = await self.visit.ask(keep_blind, self.finished, asked, self.chosen)
        self.body.clear()
        with self.body:
            if result:
                share = result.share
                ui.label(f"{result.right} of {result.asked} told right").classes("figure")
                soft(f"95 % interval {share.low:.0%} to {share.high:.0%}; guessing gives 50 %.")
                soft("It stands in the run's report.")
            with ui.element("div").classes("line"):
                ui.button("Once more", on_click=self.offer).props("outline no-caps")
