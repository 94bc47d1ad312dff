"""The command line: one thin command a verb. Heavy imports stand inside the commands, so that --help is quick."""

from __future__ import annotations

import os
import sys
import time
from typing import NoReturn

import typer
from rich.console import Console

from idiolect import __version__
from idiolect.cli import dataset, dataset_steps, edits, machines, runs, schedule
from idiolect.cli.chat import chat
from idiolect.cli.check_template import check_template
from idiolect.cli.cycles import fine_tune_cycle, full_cycle
from idiolect.cli.demo import demo
from idiolect.cli.evaluate import blind, evaluate
from idiolect.cli.export import export
from idiolect.cli.forget import forget
from idiolect.cli.import_ import import_
from idiolect.cli.options import options
from idiolect.cli.plan import plan
from idiolect.cli.published import cleanup, models, promote, rollback
from idiolect.cli.serve import serve
from idiolect.cli.studio import studio
from idiolect.cli.worker import worker
from idiolect.errors import IdiolectError, MachineFault
from idiolect.files import fault_of_the_disk

app = typer.Typer(
    name="idiolect",
    help="Train a language model on one person's own memories until it speaks as they do.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command("demo")(demo)
app.command("import")(import_)
app.command("plan")(plan)
app.command("full-cycle")(full_cycle)
app.command("fine-tune-cycle")(fine_tune_cycle)
app.command("chat")(chat)
app.command("export")(export)
app.command("serve")(serve)
app.command("studio")(studio)
app.command("evaluate")(evaluate)
app.command("blind")(blind)
app.command("forget")(forget)
app.command("options")(options)
_PUBLISHED = "What is published"
app.command("models", rich_help_panel=_PUBLISHED)(models)
app.command("promote", rich_help_panel=_PUBLISHED)(promote)
app.command("rollback", rich_help_panel=_PUBLISHED)(rollback)
app.command("check-template", rich_help_panel=_PUBLISHED)(check_template)
app.command("cleanup", rich_help_panel=_PUBLISHED)(cleanup)
app.add_typer(dataset.app, name="dataset")
app.add_typer(runs.app, name="runs")
app.add_typer(machines.app, name="machines")
app.add_typer(schedule.app, name="schedule")
app.command("worker")(worker)
dataset_steps.add_commands(app)
edits.add_commands(dataset.app)


@app.callback(invoke_without_command=True)
def idiolect(
    version: bool = typer.Option(False, "--version", help="Print the version.", is_eager=True),
) -> None:
    if version:
        print(__version__)  # noqa: T201 - what was asked for
        raise typer.Exit


def main() -> None:
    """Run a command. Errors of ours, and the disk's, end in two lines and an exit code; others keep their traceback.

    What a command and its processes write can be read by their owner alone.
    """
    os.umask(0o077)
    try:
        app()
    except IdiolectError as error:
        _say(error)
    except OSError as error:
        fault = fault_of_the_disk(error)
        if fault is None:
            raise
        _say(fault)
    except OverflowError:
        # Nanoseconds since 1970 in 64 bits, as several libraries count, end in 2262.
        if (year := time.gmtime().tm_year) < 2262:
            raise
        _say(MachineFault(f"This computer's clock says that it is the year {year}.", "Set it, and try again."))


def _say(error: IdiolectError) -> NoReturn:
    Console(stderr=True, highlight=False, soft_wrap=True).print(f"[bold red]{type(error).__name__}[/]: ", end="")
    print(error, file=sys.stderr)  # noqa: T201 - not markup: it may hold brackets
    sys.exit(error.exit_code)
