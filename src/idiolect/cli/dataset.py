"""`idiolect dataset`: what a model would be trained on, without training."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from idiolect.cli.flags import HomeFolder, Username, checked, home_at, with_option_flags

app = typer.Typer(invoke_without_command=True, help="Make a person's data set and show what it is made of.")

PrivateCheck = Annotated[bool, typer.Option("--private-check", help="List which memories hold what was masked.")]


@app.callback()
@with_option_flags
def dataset(
    context: typer.Context,
    flags: Mapping[str, Any],
    username: Annotated[str | None, typer.Option("--username", "-u", help="Whose memories.", callback=checked)] = None,
    home: HomeFolder = None,
    private_check: PrivateCheck = False,
) -> None:
    """Make a person's data set and show its quality; nothing is trained."""
    if context.invoked_subcommand:
        return
    if username is None:
        raise typer.BadParameter("whose memories?", param_hint="--username")
    from idiolect.dataset import figures
    from idiolect.workflow.data.dataset import make_dataset
    from idiolect.workflow.planning.plan import Asked

    console = Console(highlight=False)

    def tell(step: str, outcome: str) -> None:
        console.print(f"[bold green]✓[/] {step:<10} {escape(outcome)}", soft_wrap=True)

    made, quality = make_dataset(home_at(home), Asked(username, os.environ, flags), tell)
    table = Table(title=f"The data set of {username}", title_justify="left")
    for name in ("", "value", "target"):
        table.add_column(name)
    for row in figures(quality):
        table.add_row(*row)
    for counts in (quality.dropped, quality.masked):
        for name, count in counts.items():
            table.add_row(f"dropped: {name}" if counts is quality.dropped else f"masked: {name}", f"{count:,}", "")
    for language, share in quality.languages.items():
        table.add_row(f"language {language}", f"{share:.1%}", "")
    console.print(table, markup=False)
    if private_check:
        show_private(console, made.ledger)
    console.print(f"Everything is in {made.folder}", markup=False, soft_wrap=True)


@app.command()
def show(
    number: Annotated[int, typer.Argument(help="Which sample, from 1.")],
    username: Username,
    home: HomeFolder = None,
    run: Annotated[str | None, typer.Option(help="A run's label, instead of the data set last made.")] = None,
) -> None:
    """Show a sample as the model sees it; what is learned is coloured."""
    from idiolect.curation import Fate
    from idiolect.dataset import TrainingText
    from idiolect.errors import OptionFault
    from idiolect.workflow.archive.runs import run_of
    from idiolect.workflow.data.steps import read_lines

    place = run_of(home_at(home), username, run) if run else home_at(home).profile(username).dataset()
    lines = read_lines(place.dataset, TrainingText)
    if not 1 <= number <= len(lines):
        raise OptionFault(f"There is no sample {number} in {place.dataset}.", f"It has {len(lines)}, from 1.")
    line = lines[number - 1]
    text = Text(line.text)
    for start, end in line.learned:
        text.stylize("bold green", start, end)
    console = Console(highlight=False, soft_wrap=True)
    console.print(f"[dim]{line.id}, {line.mode}, {line.split}; learned: [bold green]green[/][/]")
    if source := next((f.memory for f in read_lines(place.ledger, Fate) if f.sample == line.sample), None):
        console.print(f"from {source}", style="dim", markup=False)
    console.print(text)


def show_private(console: Console, ledger: Path) -> None:
    """List what was masked in which memory: its kind alone, never what stood there."""
    from idiolect.curation import Fate
    from idiolect.workflow.data.steps import read_lines

    for fate in read_lines(ledger, Fate):
        if fate.masked:
            kinds = ", ".join(f"{count} {kind}" for kind, count in fate.masked.items())
            console.print(f"{fate.memory}: {kinds}", markup=False, soft_wrap=True)
