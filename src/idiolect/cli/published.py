"""`idiolect models`, `promote`, `rollback`, `check-template`, `cleanup`: which model is talked to, and what stays."""

from __future__ import annotations

import json
from typing import Annotated

import typer
from rich.console import Console

from idiolect.cli.flags import HomeFolder, Username, checked, home_at
from idiolect.cli.listing import listing, show_table

Label = Annotated[str, typer.Argument(help="The run's label, as `idiolect runs` lists it.", metavar="RUN")]


def models(
    username: Annotated[
        str | None, typer.Option("--username", "-u", help="Of this person alone.", callback=checked)
    ] = None,
    home: HomeFolder = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """List what is published: which run, since when, and what was before it."""
    from idiolect.workflow.archive.registry import overview

    rows = overview(home_at(home), username)
    if as_json:
        typer.echo(json.dumps(rows, indent=2, ensure_ascii=False))
        return
    table = listing("person", "", "run", "cycle", "since", "in Ollama", "file")
    for row in rows:
        table.add_row(*map(str, row.values()))
    show_table(table)


def promote(run: Label, username: Username, home: HomeFolder = None) -> None:
    """Publish the model of a run, if it loads, talks, and sees what training saw."""
    from idiolect.workflow.models.publish import promote as publish_run

    _say(publish_run(home_at(home), username, run))


def rollback(username: Username, home: HomeFolder = None) -> None:
    """Bring back the model that was published before."""
    from idiolect.workflow.models.publish import rollback as bring_back

    _say(bring_back(home_at(home), username))


def cleanup(
    username: Username,
    home: HomeFolder = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be removed, and remove nothing.")] = False,
    keep: Annotated[int, typer.Option(min=1, help="How many successful runs of each cycle are kept whole.")] = 2,
) -> None:
    """Remove what old runs have left, as each cycle does at its end."""
    from idiolect.workflow.archive.cleanup import clean_up
    from idiolect.workflow.archive.runs import known

    removals = clean_up(known(home_at(home), username), keep, dry_run=dry_run)
    for removal in removals:
        _say(str(removal).replace("removed", "would remove", 1) if dry_run else str(removal))
    size = sum(removal.size for removal in removals if not removal.failed)
    _say(f"{len(removals)} things, {size / 1e6:,.1f} MB" if removals else "There is nothing to remove.")


def _say(line: str) -> None:
    Console(highlight=False, soft_wrap=True).print(line, markup=False)
