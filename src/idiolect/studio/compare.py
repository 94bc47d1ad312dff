"""Compare: base, previous and new model answer the same; the person judges, tells blind, publishes, goes back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from nicegui import background_tasks, run, ui

from idiolect.config import MODES, Mode
from idiolect.curation import Message
from idiolect.errors import IdiolectError
from idiolect.memories import Answered
from idiolect.studio.blind import blind_card
from idiolect.studio.frame import Visit, address
from idiolect.studio.pieces import card, heading, soft, state, sure, table
from idiolect.workflow.archive.registry import overview
from idiolect.workflow.data import feedback
from idiolect.workflow.models.publish import promote, rollback
from idiolect.workflow.models.side_by_side import Answer, Contestant, Field, Question, answers, bench, contestants

#: The models that are loaded, for whoever looks: they answer one page at a time.
_BENCH = bench()
_IN_TURN = asyncio.Lock()


async def compare_page(visit: Visit) -> None:
    if visit.person is None:
        with card("Nobody is here yet"):
            ui.link("Import something first", "/import").classes("way-on")
        return
    person = visit.person
    waiting = soft("Looking for the models; a base model is made a model file of once …")
    content = ui.element("div").classes("content")

    async def look() -> None:
        found = await visit.ask(contestants, visit.home, person, visit.query.get("run"))
        waiting.delete()
        if found is None:
            return
        with content:
            SideBySide(visit, person, found)
            _published(visit, person, found)
            blind_card(visit, person, found.there[-1].label)

    ui.timer(0.05, look, once=True)


class SideBySide:
    """Models in columns; what is said to one is said to all, and each goes on with its own talk."""

    def __init__(self, visit: Visit, person: str, found: Field) -> None:
        self.visit = visit
        self.person = person
        self.stopping = False
        ui.context.client.on_disconnect(self.stop)
        self.section = card("The same, to each")
        with self.section:
            with ui.element("div").classes("line between"):
                self.mode = ui.toggle(list(MODES), value="emulation").props('no-caps unelevated aria-label="Mode"')
                self.again = ui.button("New talk", on_click=self._new_talk).props("flat no-caps")
            with ui.element("div").classes("line"):
                self.said = ui.input(placeholder="Say something").props('outlined dense aria-label="Say something"')
                self.said.classes("grows").on("keydown.enter", self.ask)
                self.button = ui.button("Say it", on_click=self.ask).props("unelevated no-caps")
                self.halt = ui.button("Stop", on_click=self.stop).props("outline no-caps")
                self.halt.disable()
            for name, why in found.absent.items():
                soft(f"No {name} model: {why}").classes("small")
            with ui.element("div").classes("beside"):
                self.columns = [Column(visit, person, who) for who in found.there]

    def stop(self) -> None:
        """Let nobody say more."""
        self.stopping = True

    async def ask(self) -> None:
        """Say what was typed to each model, and show what comes as it comes."""
        text = (self.said.value or "").strip()
        if not text or not self.button.enabled:
            return
        self.stopping = False
        self._enable(answering=True)
        mode: Mode = self.mode.value
        asked = {c.who.name: Question(c.who.gguf, c.who.context, c.begin(text, mode)) for c in self.columns}
        self.said.set_value("")
        background_tasks.create(self._answer(asked))

    async def _answer(self, asked: dict[str, Question]) -> None:
        heard = {column.who.name: column for column in self.columns}
        following = asyncio.create_task(self._follow())
        try:
            async with _IN_TURN:
                said = await run.io_bound(
                    answers, _BENCH, asked, lambda name, piece: heard[name].hear(piece), self._stopped
                )
        finally:
            following.cancel()
        for column in self.columns:
            column.end((said or {}).get(column.who.name))
        self._enable(answering=False)

    async def _follow(self) -> None:
        """Show what was heard, some times a second: pieces come from another thread."""
        while True:
            for column in self.columns:
                column.show()
            await asyncio.sleep(0.08)

    def _stopped(self) -> bool:
        return self.stopping

    def _enable(self, *, answering: bool) -> None:
        for button, enabled in ((self.button, not answering), (self.again, not answering), (self.halt, answering)):
            button.set_enabled(enabled)

    def _new_talk(self) -> None:
        for column in self.columns:
            column.forget()


class Column:
    """One model, its talk, and what the person says of its answers."""

    def __init__(self, visit: Visit, person: str, who: Contestant) -> None:
        self.visit = visit
        self.person = person
        self.who = who
        self.talk: list[Message] = []
        self._pieces: list[str] = []
        self._shown: ui.label | None = None
        self._mode: Mode = "emulation"
        with ui.element("section").classes("stack").props(f'role="group" aria-label="{who.name}"'):
            with ui.element("div").classes("line"):
                heading(who.name)
                ui.label(who.label.rpartition("/")[2]).classes("soft small mono cut")
            self.lines = ui.element("div").classes("stack talk").props('aria-live="polite"')

    def begin(self, text: str, mode: Mode) -> Sequence[Message]:
        """Take what is said to the model; return all that it hears."""
        self.talk = [*self.talk, Message("user", text)]
        self._pieces, self._mode = [], mode
        with self.lines:
            ui.label(text).classes("said asked-them")
            self._shown = ui.label("").classes("said")
        return self.who.heard(self.talk, mode)

    def hear(self, piece: str) -> None:
        self._pieces.append(piece)

    def show(self) -> None:
        text = "".join(self._pieces)
        if self._shown and self._shown.text != text:
            self._shown.set_text(text)

    def end(self, came: Answer | IdiolectError | None) -> None:
        """Keep the answer, and let it be judged; without one, what was said is taken back, and why is shown."""
        self.show()
        if not self._shown or self.talk[-1].role != "user":
            return
        if not isinstance(came, Answer) or not came.reply.text:
            self.talk.pop()
            self._shown.set_text(_instead(came))
            return
        self._shown.set_text(came.reply.text)
        answered = Answered(prompt=self.talk[-1].content, answer=came.reply.text, mode=self._mode, model=self.who.label)
        self.talk.append(Message("assistant", came.reply.text))
        with self.lines:
            if came.dropped:
                soft(f"The model holds {self.who.context:,} tokens: what was said first is forgotten.").classes("small")
            _Judgement(self.visit, self.person, answered)

    def forget(self) -> None:
        self.talk = []
        self._shown = None
        self.lines.clear()


def _instead(came: Answer | IdiolectError | None) -> str:
    """Say what stands in the place of an answer that there is not."""
    if isinstance(came, IdiolectError):
        return f"({came.problem})"
    return (came.reply.said if came else "") or "(nothing was said)"


class _Judgement:
    """Thumbs, and how the person would say it, below an answer."""

    def __init__(self, visit: Visit, person: str, answered: Answered) -> None:
        self.visit = visit
        self.person = person
        self.answered = answered
        with ui.element("div").classes("stack"):
            with ui.element("div").classes("line"):
                self._button("thumb_up", "I would say that", partial(self._judge, feedback.approve, "It is learned."))
                self._button("thumb_down", "I would not", partial(self._judge, feedback.reject, "It is not learned."))
                ui.button("I would say it like this", on_click=self._open).props("flat dense no-caps")
            self.own = ui.element("div").classes("line")
            self.outcome = soft("").classes("small").props('aria-live="polite"')

    def _button(self, icon: str, says: str, pressed: Callable[[], Any]) -> None:
        ui.button(icon=icon, on_click=pressed).props(f'flat round dense aria-label="{says}" title="{says}"')

    def _open(self) -> None:
        """Let the person say it, or close that again. Made when it is seen: a hidden field has no height of its own."""
        if self.own.default_slot.children:
            self.own.clear()
            return
        with self.own:
            words = ui.textarea(value=self.answered.answer).props('outlined dense autogrow aria-label="Your own words"')
            words.classes("grows").run_method("focus")
            ui.button("Keep my words", on_click=lambda: self._reword(words.value or "")).props("outline no-caps")

    async def _judge(self, verb: Callable[..., Path], said: str) -> None:
        if await self.visit.ask(verb, self.visit.home, self.person, self.answered):
            self.outcome.set_text(f"{said} From the next data set on.")

    async def _reword(self, words: str) -> None:
        if await self.visit.ask(feedback.reword, self.visit.home, self.person, self.answered, words):
            self.own.clear()
            self.outcome.set_text("Your words are learned, that answer is not. From the next data set on.")


def _published(visit: Visit, person: str, found: Field) -> None:
    """Show what is published, with ways to publish the new model and to go back."""
    new = found.there[-1].label
    with card("Published"):
        rows = overview(visit.home, person)
        if rows:
            cells = [[partial(state, r["state"]), r["run"], r["since"], r["ollama"]] for r in rows]
            table(["", "run", "since", "in Ollama"], cells)
        else:
            soft("Nothing is published yet; the newest model is talked with.")
        with ui.element("div").classes("line"):
            if not any(r["run"] == new and r["state"] == "published" for r in rows):
                publish = partial(_ask_and_do, visit, f"Publish {new}?", "Publish it", promote, new)
                ui.button("Publish the new one", on_click=publish).props("unelevated no-caps")
            if any(r["state"] == "before" for r in rows):
                back = partial(
                    _ask_and_do, visit, "Bring back the model that was published before?", "Go back", rollback
                )
                ui.button("Roll back", on_click=back).props("outline no-caps")


async def _ask_and_do(visit: Visit, question: str, yes: str, verb: Callable[..., str], *what: str) -> None:
    if not await sure(question, yes):
        return
    waiting = ui.notification("The model is loaded and compared with training …", spinner=True, timeout=None)
    done = await visit.ask(verb, visit.home, visit.person or "", *what)
    waiting.dismiss()
    if done:
        ui.notify(done)
        ui.navigate.to(address("/compare", person=visit.person, run=visit.query.get("run")))
