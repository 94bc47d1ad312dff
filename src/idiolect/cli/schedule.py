"""`idiolect schedule`: train a person every month by itself; an `idiolect worker` carries it out."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Literal

import typer
from rich.console import Console

from idiolect.cli.flags import AsJson, HomeFolder, Username, checked, home_at, print_json
from idiolect.cli.listing import listing, show_table

app = typer.Typer(invoke_without_command=True, help="Train somebody every month, by itself; an `idiolect worker` does.")

_CYCLES = {"full": "full-cycle", "fine-tune": "fine-tune-cycle"}


@app.callback()
def schedule(  # noqa: PLR0913 - each is a flag
    context: typer.Context,
    *,
    username: Annotated[str | None, typer.Option("--username", "-u", help="Who is trained.", callback=checked)] = None,
    monthly: Annotated[bool, typer.Option("--monthly", help="Every month; there is no other rhythm.")] = False,
    day: Annotated[int, typer.Option(min=1, max=31, help="Of the month, or its last if it has no such day.")] = 1,
    hour: Annotated[int, typer.Option(min=0, max=23, help="Of the day, in this computer's time.")] = 3,
    cycle: Annotated[Literal["full", "fine-tune"], typer.Option(help="Which cycle.")] = "full",
    machine: Annotated[str, typer.Option(help="Where it is trained: local, ssh:<name>, runpod.")] = "local",
    queue: Annotated[Literal["cpu", "gpu"], typer.Option(help="Whose workers take it.")] = "cpu",
    min_new: Annotated[int, typer.Option(min=1, help="A month with fewer new memories is skipped.")] = 20,
    home: HomeFolder = None,
) -> None:
    """Train somebody on their last 30 days and older samples, every month, with the settings of etc/training.json."""
    if context.invoked_subcommand:
        return
    from idiolect.workflow.calendar.schedule import Schedule, write_schedule
    from idiolect.workflow.planning.plan import profile_of
    from idiolect.workflow.planning.where import check_described

    if username is None or not monthly:
        raise typer.BadParameter("say whom, and how often", param_hint="--username and --monthly")
    profile = profile_of(home_at(home), username)
    check_described(home_at(home), profile, machine)
    asked = Schedule(
        day=day,
        hour=hour,
        cycle=_CYCLES[cycle],
        machine=machine,
        queue=queue,
        min_new=min_new,
        since=datetime.now(UTC),
    )
    write_schedule(profile, asked)
    Console(highlight=False, soft_wrap=True).print(
        f"{username}: {asked.cycle} every month, on day {day} at {hour}:00, if an `idiolect worker` runs; "
        f"a month that it misses is caught up on."
    )


@app.command("list")
def list_(home: HomeFolder = None, as_json: AsJson = False) -> None:
    """List who is trained when, and what became of the last month."""
    from idiolect.workflow.calendar.schedule import described, read_month, read_schedule

    place, rows = home_at(home), {}
    for person in place.people():
        if found := read_schedule(place.profile(person)):
            rows[person] = described(found, read_month(place.profile(person)))
    if as_json:
        print_json(rows)
        return
    table = listing("person", "cycle", "day", "hour", "machine", "queue", "at least", "last")
    for person, row in rows.items():
        shown = [row[name] for name in ("cycle", "day", "hour", "machine", "queue")]
        table.add_row(person, *map(str, shown), f"{row['min_new']} new", row["last"])
    show_table(table)


@app.command()
def remove(username: Username, home: HomeFolder = None) -> None:
    """Train somebody no longer by themselves; a run that has begun goes on."""
    from idiolect.workflow.calendar.schedule import remove_schedule

    remove_schedule(home_at(home).profile(username))
