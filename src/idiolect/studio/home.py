"""Home: the people, and of one of them the memories over time, the model, what comes next, the disk."""

from __future__ import annotations

from nicegui import ui

from idiolect.studio.frame import Visit, address
from idiolect.studio.pieces import LOSS, axis, card, chart, figures, soft, state, table
from idiolect.workflow.archive.registry import overview
from idiolect.workflow.people import Calendars, Glance, glance
from idiolect.workflow.wording import megabytes, moment

_CALENDARS = Calendars()


def home_page(visit: Visit) -> None:
    if visit.person is None:
        with card("Nobody is here yet"):
            soft("Bring in what somebody wrote: messages, journals, letters. They get a profile of their own.")
            with ui.element("div").classes("line"):
                ui.link("Import something", "/import").classes("way-on")
        return
    _people(visit)
    waiting = soft("Looking through the memories …")

    async def look() -> None:
        found = await visit.ask(glance, visit.home, visit.person or "", _CALENDARS)
        waiting.delete()
        if found:
            with content:
                _show(found)

    content = ui.element("div").classes("content")
    ui.timer(0.05, look, once=True)


def _people(visit: Visit) -> None:
    published = {row["person"]: row for row in overview(visit.home) if row["state"] == "published"}
    with ui.element("div").classes("people"):
        for name in visit.home.people():
            here = "here" if name == visit.person else ""
            with ui.link(target=address("/", person=name)).classes(f"person-card {here}"):
                ui.label(name).classes("person-name")
                model = published.get(name)
                ui.label(f"speaks since {model['since']}" if model else "no model yet").classes("soft small")


def _show(seen: Glance) -> None:
    with card("Memories over time"):
        figures(
            [
                (f"{seen.memories:,}", "memories"),
                (f"{len(seen.months):,}", "months with some"),
                (f"{seen.undated:,}", "without a date"),
                *([(f"{seen.unreadable:,}", "that cannot be read")] if seen.unreadable else []),
            ]
        )
        if seen.months:
            _chart(seen)
        else:
            ui.link("Import something", address("/import", person=seen.person)).classes("way-on")
    with ui.element("div").classes("grid"):
        _model(seen)
        _next(seen)
    _disk(seen)


def _chart(seen: Glance) -> None:
    months = _every_month(list(seen.months))
    chart(
        {
            "xAxis": axis(type="category", data=months, splitLine={"show": False}),
            "yAxis": axis(type="value", minInterval=1),
            "legend": {"show": False},
            "grid": {"left": 52, "right": 16, "top": 14, "bottom": 30},
            "series": [
                {
                    "name": "memories",
                    "type": "bar",
                    "barMaxWidth": 26,
                    "data": [seen.months.get(month, 0) for month in months],
                    "itemStyle": {"color": LOSS, "borderRadius": [3, 3, 0, 0]},
                }
            ],
        },
        f"Memories a month, from {months[0]} to {months[-1]}",
    )


def _every_month(dated: list[str]) -> list[str]:
    """Return all months from the first to the last, those without memories too."""
    first, last = (int(m[:4]) * 12 + int(m[5:]) - 1 for m in (dated[0], dated[-1]))
    return [f"{month // 12:04}-{month % 12 + 1:02}" for month in range(first, last + 1)]


def _model(seen: Glance) -> None:
    with card("Published model"):
        if seen.going_on:
            with ui.element("div").classes("line"):
                state("running")
                ui.link(seen.going_on.label, address("/train", person=seen.person)).classes("mono")
        if not seen.published:
            soft("None yet.")
            ui.link("Train one", address("/train", person=seen.person)).classes("way-on")
            return
        with ui.element("div").classes("line"):
            state("published")
            ui.link(seen.published.label, address("/runs", person=seen.person, run=seen.published.label)).classes(
                "mono"
            )
        soft(f"since {moment(seen.published.since)}, by a {seen.published.cycle}")
        soft(f"{seen.before} earlier could be brought back" if seen.before else "none before it")


def _next(seen: Glance) -> None:
    with card("Next scheduled run"):
        if seen.schedule and seen.next_due:
            ui.label(moment(seen.next_due)).classes("figure")
            soft(f"{seen.schedule.cycle} on {seen.schedule.machine}, with {seen.schedule.min_new} new memories or more")
            soft("An `idiolect worker` carries it out.")
        else:
            soft("None. To train every month by itself:")
            ui.label(f"idiolect schedule --username {seen.person} --monthly").classes("mono")


def _disk(seen: Glance) -> None:
    with card("Disk"):
        figures([(megabytes(size), what) for what, size in seen.used.items()])
        if isinstance(seen.removals, str):
            soft(seen.removals)
        elif seen.removals:
            soft(f"Clean-up would free {megabytes(seen.freed)}:")
            rows = [[str(r.what).rpartition("/")[2], megabytes(r.size), r.why] for r in seen.removals[:5]]
            table(["what", "size", "why"], rows, numbers=[1])
            ui.link("Clean up", address("/runs", person=seen.person)).classes("way-on")
        else:
            soft("Clean-up would free nothing: no old run has left anything.")
