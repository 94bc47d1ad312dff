"""Runs: the list, one of them with its report, two beside each other, and what old ones have left."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from nicegui import ui

from idiolect.studio.frame import Visit, address
from idiolect.studio.pieces import card, figures, soft, state, sure, table
from idiolect.workflow.archive.cleanup import Removal, clean_up
from idiolect.workflow.archive.differences import Line, compare_runs
from idiolect.workflow.archive.runs import OF_METAHUMAN, Details, Row, details, find, known, overview
from idiolect.workflow.wording import clock, figure, megabytes, moment

_COLUMNS = ("run", "cycle", "state", "started", "took", "held-out loss", "size", "cost")


async def runs_page(visit: Visit) -> None:
    rows = await visit.ask(overview, visit.home, visit.person) or []
    if not rows:
        with card("Nothing was run yet"):
            ui.link("Train somebody", address("/train", person=visit.person)).classes("way-on")
        return
    label, other = visit.query.get("run"), visit.query.get("with")
    if label and other:
        await _show_both(visit, label, other)
    elif label:
        await _show_one(visit, label)
    _show_list(visit, list(reversed(rows)))
    await _show_left_over(visit)


def _show_list(visit: Visit, rows: Sequence[Row]) -> None:
    with card("All runs"):
        cells = [_cells(visit, row) for row in rows]
        table(_COLUMNS, cells, numbers=[3, 4, 5, 6, 7])
        if len(rows) > 1:
            _choose_two(visit, [row.label for row in rows])


def _cells(visit: Visit, row: Row) -> list[Any]:
    return [_link(visit, row.label), row.cycle.removesuffix("-cycle"), _chip(row.state), *_figures(row)]


def _choose_two(visit: Visit, labels: list[str]) -> None:
    with ui.element("div").classes("line"):
        soft("Compare")
        first = ui.select(labels, value=labels[1]).props('outlined dense options-dense aria-label="One run"')
        soft("with")
        second = ui.select(labels, value=labels[0]).props('outlined dense options-dense aria-label="Another run"')

        def compare() -> None:
            ui.navigate.to(address("/runs", person=visit.person, run=first.value, **{"with": second.value}))

        ui.button("Compare", on_click=compare).props("outline no-caps")


async def _show_one(visit: Visit, label: str) -> None:
    found = await visit.ask(details, visit.home, label, visit.person)
    if found is None:
        return
    row = found.row
    with card():
        with ui.element("div").classes("line"):
            ui.label(row.label).classes("card-title mono").props('role="heading" aria-level="2"')
            state(row.state)
        soft(f"{row.cycle} of {row.person}, {moment(row.started)}")
        if error := getattr(found.written, "error", ""):
            ui.label(error).classes("fault")
        figures([(value or "–", what) for value, what in zip(_figures(row)[1:], _FIGURES, strict=True)])
        if row.state == OF_METAHUMAN:
            soft("MetaHuman OS has made it: it is left as it is, and used from there.")
            return
        to = address("/train", person=row.person, run=row.label)
        ui.link("Loss, steps and log" if row.state == "succeeded" else "Watch it, go on with it", to).classes("way-on")
    _show_steps(found)
    _show_report(visit, found)


_FIGURES = ("in all steps", "held-out loss", "model file", "cost")


def _show_steps(found: Details) -> None:
    with card("Steps"):
        rows = [[s.step, clock(s.seconds), s.outcome] for s in found.steps]
        table(["step", "took", "what came of it"], rows, numbers=[1])


def _show_report(visit: Visit, found: Details) -> None:
    row = found.row
    _, run = find(visit.home, row.label, row.person)
    if not run.report.exists():
        return
    with card("Evaluation report"):
        # A frame without any rights: what stands in the report is shown, and can do nothing.
        frame = ui.element("iframe").classes("report")
        frame.props["sandbox"] = ""
        frame.props["src"] = f"/report/{quote(row.person, safe='')}/{row.label}"
        frame.props["title"] = "Evaluation report"


async def _show_both(visit: Visit, a: str, b: str) -> None:
    lines = await visit.ask(compare_runs, visit.home, a, b, visit.person)
    if lines is None:
        return
    with card("Two runs"):
        table(["", "", a, b], [_compared(line, before) for before, line in zip([None, *lines], lines, strict=False)])


def _compared(line: Line, before: Line | None) -> list[Any]:
    part = "" if before and before.part == line.part else line.part
    return [part, line.name, figure(line.a), figure(line.b)]


async def _show_left_over(visit: Visit) -> None:
    profile = known(visit.home, visit.person or "")
    removals = await visit.ask(clean_up, profile, dry_run=True)
    if removals is None:
        return
    with card("Clean up"):
        if not removals:
            soft(
                "There is nothing to remove: the two newest models of each cycle are kept, and so is what is published."
            )
            return
        shown = [[_inside(r, visit), megabytes(r.size), r.why] for r in removals]
        table(["what", "size", "why"], shown, numbers=[1])

        async def remove() -> None:
            size = megabytes(sum(r.size for r in removals))
            if await sure(f"Remove these {len(removals)} things, {size}? They do not come back.", "Remove them"):
                done = await visit.ask(clean_up, profile)
                if done is not None:
                    failed = [str(r) for r in done if r.failed]
                    ui.notify("\n".join(failed) or f"{len(done)} things were removed.")
                    ui.navigate.reload()

        ui.button("Remove them", on_click=remove).props("outline no-caps color=negative")


def _inside(removal: Removal, visit: Visit) -> str:
    root = str(visit.home.profile(visit.person or "").root) + "/"
    return str(removal.what).removeprefix(root)


def _link(visit: Visit, label: str) -> Any:
    return lambda: ui.link(label, address("/runs", person=visit.person, run=label)).classes("mono")


def _chip(word: str) -> Any:
    return lambda: state(word)


def _figures(row: Row) -> list[str]:
    return [
        moment(row.started),
        "" if row.seconds is None else clock(row.seconds),
        "" if row.loss is None else f"{row.loss:.3f}",
        "" if row.bytes is None else megabytes(row.bytes),
        "" if row.dollars is None else f"{row.dollars:,.2f} $",
    ]
