"""The steps of a data set, each a command of its own, from file to file."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from idiolect.cli.dataset import PrivateCheck, show_private
from idiolect.cli.flags import HomeFolder, Username, home_at, with_option_flags

if TYPE_CHECKING:
    from idiolect.home import Home
    from idiolect.workflow.planning.plan import Data

Input = Annotated[Path, typer.Option("--input", help="What the step before this one wrote.")]
Output = Annotated[Path, typer.Option("--output", help="What to write.")]

#: What a step from one file to another does; it returns a line that says what came of it.
Work = Callable[["Home", "Data", Path, Path], str]


def add_commands(app: typer.Typer) -> None:
    """Add the steps to the command line, in their order."""
    steps: dict[str, Callable[..., None]] = {
        "curate": curate,
        "format": _from_file_to_file(_format, "curated_memories.json", "formatted_samples.json"),
        "apply-schema": _from_file_to_file(_apply_schema, "formatted_samples.json", "schema_applied.json"),
        "export-dataset": _from_file_to_file(_export, "schema_applied.json", "dataset.jsonl"),
        "validate-dataset": validate_dataset,
    }
    for name, step in steps.items():
        app.command(name, rich_help_panel="The data set, step by step")(step)


@with_option_flags
def curate(
    username: Username,
    flags: Mapping[str, Any],
    output: Output = Path("curated_memories.json"),
    home: HomeFolder = None,
    private_check: PrivateCheck = False,
) -> None:
    """Memories to cleaned samples; ledger.jsonl is written beside them."""
    from datetime import UTC, datetime

    from idiolect.workflow.data import steps as data_steps
    from idiolect.workflow.planning.plan import Asked, plan_data

    data = plan_data(home_at(home), Asked(username, os.environ, flags))
    _say_notes(data)
    ledger = output.parent / "ledger.jsonl"
    _say(data_steps.curate(data, output, ledger, datetime.now(UTC)))
    if private_check:
        show_private(Console(highlight=False), ledger)


def validate_dataset(
    source: Input = Path("dataset.jsonl"),
    skip_validation: Annotated[bool, typer.Option("--skip-validation", help="Let it pass whatever is wrong.")] = False,
) -> None:
    """Refuse a data set that cannot be trained on; warn of one that should not."""
    from idiolect.workflow.data import steps as data_steps

    _say(data_steps.validate_dataset(source, skip=skip_validation))


def _from_file_to_file(work: Work, reads: str, writes: str) -> Callable[..., None]:
    @with_option_flags
    def step(
        username: Username,
        flags: Mapping[str, Any],
        source: Input = Path(reads),
        output: Output = Path(writes),
        home: HomeFolder = None,
    ) -> None:
        from idiolect.workflow.planning.plan import Asked, plan_data

        place = home_at(home)
        _say(work(place, plan_data(place, Asked(username, os.environ, flags)), source, output))

    step.__doc__ = work.__doc__
    return step


def _format(_: Home, data: Data, source: Path, output: Path) -> str:
    """Give samples their system messages, or their mode's tags."""
    from idiolect.workflow.data import steps as data_steps

    return data_steps.format_curated(data, source, output)


def _apply_schema(home: Home, data: Data, source: Path, output: Path) -> str:
    """Apply the base model's chat template, and mark what is learned."""
    from idiolect.workflow.data import steps as data_steps
    from idiolect.workflow.planning.plan import plan_target

    return data_steps.apply_chat_template(data, plan_target(home, data), source, output)


def _export(_: Home, data: Data, source: Path, output: Path) -> str:
    """Split the samples and write the data set; a ledger.jsonl beside it is brought up to date."""
    from idiolect.home import Dataset
    from idiolect.workflow.data import steps as data_steps

    made = Dataset(output.parent, output.name)
    return data_steps.export_dataset(data, source, made)


def _say_notes(data: Data) -> None:
    for note in data.settings.notes:
        Console(highlight=False, soft_wrap=True).print(note, style="dim", markup=False)


def _say(outcome: str) -> None:
    Console(highlight=False, soft_wrap=True).print(outcome, markup=False)
