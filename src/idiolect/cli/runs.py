"""`idiolect runs`: what was run and what came of it; going on with a run, cancelling one, comparing two."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from idiolect.cli.flags import AnyUsername, AsJson, HomeFolder, Queue, Wait, home_at, print_json
from idiolect.cli.listing import listing, sheet, show_table

if TYPE_CHECKING:
    from idiolect.workflow.archive.runs import Row

app = typer.Typer(invoke_without_command=True, help="List runs; show, resume, cancel or compare them.")


@app.callback()
def runs(
    context: typer.Context, username: AnyUsername = None, home: HomeFolder = None, as_json: AsJson = False
) -> None:
    """List the runs of everybody, or of one person, oldest first."""
    if context.invoked_subcommand:
        return
    from idiolect.workflow.archive.runs import overview

    rows = overview(home_at(home), username)
    if as_json:
        print_json(rows)
        return
    table = listing("person", "run", "cycle", "state", "step", "started", "took", "loss", "size", "cost")
    for row in rows:
        table.add_row(row.person, row.label, row.cycle.removesuffix("-cycle"), row.state, row.step, *_figures(row))
    show_table(table)


@app.command()
def show(label: str, username: AnyUsername = None, home: HomeFolder = None, as_json: AsJson = False) -> None:
    """Show one run with its steps."""
    from idiolect.workflow.archive.runs import details
    from idiolect.workflow.wording import clock

    found = details(home_at(home), label, username)
    if as_json:
        print_json(found.written)
        return
    console = Console(highlight=False, soft_wrap=True)
    row = found.row
    console.print(f"[bold]{row.label}[/]  {row.cycle} of {row.person}: {row.state}")
    for name, figure in zip(("started", "duration", "held-out loss", "size", "cost"), _figures(row), strict=True):
        console.print(f"{name:<14}{figure or '-'}")
    if error := getattr(found.written, "error", ""):
        console.print(f"[red]{'error':<14}[/]{error}", markup=True)
    table = sheet("step", "took", "what came of it")
    for step in found.steps:
        table.add_row(step.step, clock(step.seconds), step.outcome)
    show_table(table)


@app.command()
def resume(  # noqa: PLR0913, PLR0917 - flags
    label: Annotated[str | None, typer.Argument(help="Which run; the newest of a person if not said.")] = None,
    username: AnyUsername = None,
    home: HomeFolder = None,
    wait: Wait = False,
    queue: Queue = None,
    as_json: AsJson = False,
) -> None:
    """Go on with a run that was interrupted, cancelled or failed: what is done is not done again.

    With --json nothing is shown on the way; the end is the run's summary, as `runs show` prints it.
    """
    from idiolect.cli.cycles import say_queued, watch
    from idiolect.workflow.archive.runs import find
    from idiolect.workflow.cycle import resume as go_on

    place = home_at(home)
    if label:
        username = find(place, label, username)[0].person
    if username is None:
        raise typer.BadParameter("which run, or whose newest (--username)?", param_hint="LABEL")
    person = username
    if queue:
        from idiolect.workflow.calendar.queue import put_again

        queued = put_again(place, person, label, queue)
        if as_json:
            print_json({"label": queued, "queue": queue})
        else:
            say_queued(queued, queue)
        return
    if as_json:
        print_json(go_on(place, person, label, lambda _: None, wait=wait).summary)
        return
    watch(lambda tell: go_on(place, person, label, tell, wait=wait), person, home)


@app.command()
def cancel(label: str, username: AnyUsername = None, home: HomeFolder = None, as_json: AsJson = False) -> None:
    """Stop a run, wherever it is: its training too. `runs resume LABEL` takes it up again."""
    from idiolect.workflow.archive.runs import find
    from idiolect.workflow.cancel import cancel as stop

    profile, run = find(home_at(home), label, username)
    outcome = stop(profile, run)
    if as_json:
        print_json({"label": label, "outcome": outcome})
        return
    Console(highlight=False, soft_wrap=True).print(f"Cancelled {label}. {outcome}")


@app.command()
def compare(a: str, b: str, username: AnyUsername = None, home: HomeFolder = None, as_json: AsJson = False) -> None:
    """Show two runs side by side: options that differ, data, losses, evaluation."""
    from idiolect.workflow.archive.differences import compare_runs
    from idiolect.workflow.wording import figure

    lines = compare_runs(home_at(home), a, b, username)
    if as_json:
        print_json(lines)
        return
    table = sheet("", "", a, b)
    part = ""
    for line in lines:
        table.add_row("" if line.part == part else line.part, line.name, *map(figure, (line.a, line.b)))
        part = line.part
    show_table(table)


def _figures(row: Row) -> tuple[str, ...]:
    from idiolect.workflow.wording import clock, moment

    return (
        moment(row.started),
        "" if row.seconds is None else clock(row.seconds),
        "" if row.loss is None else f"{row.loss:.3f}",
        "" if row.bytes is None else f"{row.bytes / 1e6:,.0f} MB",
        "" if row.dollars is None else f"${row.dollars:,.2f}",
    )
