"""A run before somebody's eyes: loss, steps, log; to cancel it, and to go on with it. Any number of pages may watch."""

from __future__ import annotations

from collections.abc import Sequence

from nicegui import run, ui

from idiolect.errors import IdiolectError
from idiolect.studio.frame import Visit, address
from idiolect.studio.pieces import HELD_OUT, LOSS, axis, card, chart, heading, soft, state, sure
from idiolect.workflow.cancel import cancel
from idiolect.workflow.detached import go_on
from idiolect.workflow.watching import Seen, SeenStep, Watch
from idiolect.workflow.wording import about, clock, gibibytes

_LOOK_SECONDS = 1.0
_POINTS = 800
_MARKS = {"done": "✓", "going on": "▸", "to come": "·"}


class Watching:
    """The cards of one run; `look` brings them up to what is seen now."""

    def __init__(self, visit: Visit, watch: Watch) -> None:
        self.visit = visit
        self.watch = watch
        self._shown: Seen | None = None
        with card():
            with ui.element("div").classes("line between"):
                with ui.element("div").classes("line"):
                    heading(watch.run.label).classes("mono")
                    self.state = ui.element("div")
                self.buttons = ui.element("div").classes("line")
            self.said = soft("")
            self.bar = ui.linear_progress(0, show_value=False).props('aria-label="Steps of training" rounded')
            self.chart = _loss_chart()
            self.error = ui.label("").classes("fault")
        with ui.element("div").classes("columns"):
            with card("Steps"):
                self.steps = ui.element("div").classes("steps")
            with card("Log"):
                self.log = ui.label("").classes("log").props('tabindex="0" role="log"')
        self.timer = ui.timer(_LOOK_SECONDS, self.look)

    async def look(self) -> None:
        """Read the run's files, beside the page, and show what has changed."""
        try:
            seen = await run.io_bound(self.watch.look)
        except IdiolectError as fault:
            self.timer.deactivate()
            self.visit.show(fault)
            return
        if seen is not None and seen != self._shown:
            self._show(seen)

    def _show(self, seen: Seen) -> None:
        before, self._shown = self._shown, seen
        if before is None or before.state != seen.state:
            self._show_state(seen)
        if before is None or before.steps != seen.steps:
            self._show_steps(seen.steps)
        if before is None or (before.losses, before.held_out) != (seen.losses, seen.held_out):
            self._show_losses(seen)
        self.said.set_text(_said(seen))
        self.log.set_text("\n".join(reversed(seen.log)) or "Nothing yet.")
        self.error.set_text(seen.error)
        self.error.set_visibility(bool(seen.error))

    def _show_state(self, seen: Seen) -> None:
        self.state.clear()
        with self.state:
            state(seen.state)
        self.buttons.clear()
        with self.buttons:
            if seen.going_on and seen.state != "cancelling":
                ui.button("Cancel", on_click=self._cancel).props("outline no-caps color=negative")
            elif seen.state not in ("succeeded", "cancelling"):
                ui.button("Go on with it", on_click=self._go_on).props("unelevated no-caps")
            if not seen.going_on:
                to = address("/runs", person=self.visit.person, run=self.watch.run.label)
                ui.link("What came of it", to).classes("way-on")

    def _show_steps(self, steps: Sequence[SeenStep]) -> None:
        self.steps.clear()
        with self.steps:
            for step in steps:
                _step(step)

    def _show_losses(self, seen: Seen) -> None:
        there = bool(seen.losses or seen.held_out)
        self.chart.set_visibility(there)
        self.bar.set_visibility(there and seen.going_on)
        loss, held_out = self.chart.options["series"]
        loss["data"], held_out["data"] = _points(seen.losses), _points(seen.held_out)
        self.chart.update()
        if seen.latest:
            self.bar.set_value(seen.latest.step / max(1, seen.latest.steps))

    async def _cancel(self) -> None:
        label = self.watch.run.label
        if await sure(f"Cancel {label}? What it did is kept, and it can be gone on with.", "Cancel the run"):
            said = await self.visit.ask(cancel, self.watch.profile, self.watch.run)
            if said:
                ui.notify(said)

    async def _go_on(self) -> None:
        await self.visit.ask(go_on, self.visit.home, self.watch.profile.person, self.watch.run.label)


def _points(losses: Sequence[tuple[float, float]]) -> list[list[float]]:
    """Return what is drawn: no more points than can be told apart, the last one among them."""
    every = len(losses) // _POINTS + 1
    return [list(point) for point in [*losses[:-1][::every], *losses[-1:]]]


def _said(seen: Seen) -> str:
    """Say in a line how far training is."""
    if seen.state == "beginning":
        return "It begins: what it needs is being looked at."
    parts = []
    if seen.started:
        parts.append(f"{seen.started.samples:,} samples, {seen.started.learned_tokens:,} tokens to learn")
    if seen.latest:
        at = seen.latest
        parts.append(f"step {at.step} of {at.steps}, loss {at.loss:.3f}")
        parts.append(f"{at.tokens_per_second:,.0f} learned tokens a second")
        parts.append(gibibytes(at.memory_bytes))
        if seen.going_on and at.step < at.steps:
            parts.append(f"{about(at.seconds_left)} left")
    if seen.held_out:
        first, last = seen.held_out[0][1], seen.held_out[-1][1]
        parts.append(f"held-out loss {first:.3f}" + (f" → {last:.3f}" if len(seen.held_out) > 1 else ""))
    return " · ".join(parts) or seen.cycle


def _step(step: SeenStep) -> None:
    with ui.element("div").classes(f"step {step.state.replace(' ', '-')}"):
        ui.label(_MARKS[step.state]).classes(f"step-mark {step.state}").props(f'aria-label="{step.state}"')
        ui.label(step.name).classes("step-name")
        ui.label("going on …" if step.state == "going on" else step.outcome).classes("soft small")
        ui.label("" if step.seconds is None else clock(step.seconds)).classes("soft small")


def _loss_chart() -> ui.echart:
    line = {"type": "line", "showSymbol": False, "data": []}
    return chart(
        {
            "xAxis": axis("epoch", type="value", min=0),
            "yAxis": axis("nats a token", type="value", scale=True, nameGap=38),
            "series": [
                {**line, "name": "loss", "itemStyle": {"color": LOSS}, "lineStyle": {"width": 1.5}},
                {
                    **line,
                    "name": "held-out loss",
                    "showSymbol": True,
                    "symbolSize": 8,
                    "itemStyle": {"color": HELD_OUT},
                },
            ],
        },
        "Loss and held-out loss by epoch",
    )
