"""`idiolect runs`: what was run, what came of it, and going on with what did not come to its end."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from idiolect.cli.flags import HomeFolder, Username, home_at

app = typer.Typer(invoke_without_command=True, help="List runs, show one, go on with one.")

AsJson = Annotated[bool, typer.Option("--json", help="For programs.")]


@app.callback()
def runs(
    context: typer.Context,
    username: Annotated[str | None, typer.Option("--username", "-u", help="Of this person alone.")] = None,
    home: HomeFolder = None,
    as_json: AsJson = False,
) -> None:
    """List the runs of everybody, or of one person, oldest first."""
    if context.invoked_subcommand:
        return
    from idiolect.workflow.runs import overview

    rows = overview(home_at(home), username)
    if as_json:
        _print_json(rows)
        return
    table = Table()
    for name in ("person", "run", "cycle", "state", "step", "seconds", "held-out loss", "MB"):
        table.add_column(name)
    for row in rows:
        table.add_row(*map(str, row.values()))
    Console().print(table)


@app.command()
def show(label: str, username: Username, home: HomeFolder = None) -> None:
    """Show one run with its steps, as JSON."""
    from idiolect.workflow.runs import details

    _print_json(details(home_at(home), username, label))


@app.command()
def resume(
    username: Username,
    label: Annotated[str | None, typer.Argument(help="Which run; the newest unfinished one if not said.")] = None,
    home: HomeFolder = None,
) -> None:
    """Go on with a run that was interrupted or failed: what is done is not done again."""
    from idiolect.cli.cycles import watch
    from idiolect.workflow.cycle import resume as go_on

    place = home_at(home)
    watch(lambda tell: go_on(place, username, label, tell), username, home)


def _print_json(value: Any) -> None:
    typer.echo(json.dumps(value, indent=2, default=str, ensure_ascii=False))
