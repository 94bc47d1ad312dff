"""`idiolect plan`: memory, time and money of a training on each machine, before anything runs."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from idiolect.cli.flags import HomeFolder, checked, home_at, with_option_flags
from idiolect.cli.listing import line_console

if TYPE_CHECKING:
    from idiolect.training import Forecast, Memory
    from idiolect.workflow.planning.estimate import Estimate

_GIB = 1 << 30
_TITLES = {
    "adapter": "full-cycle: a LoRA adapter",
    "model": "fine-tune-cycle: every weight",
}


@with_option_flags
def plan(
    flags: Mapping[str, Any],
    username: Annotated[
        str | None, typer.Option("--username", "-u", help="Whose memories; default: nobody's.", callback=checked)
    ] = None,
    tokens: Annotated[int | None, typer.Option(min=1, help="So many tokens an epoch, whatever the data.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    home: HomeFolder = None,
) -> None:
    """Say what a training would take on each machine, and what to change where it does not fit."""
    from idiolect.workflow.models.parity import prompts_note
    from idiolect.workflow.planning.estimate import estimate
    from idiolect.workflow.planning.plan import Asked

    estimated = estimate(home_at(home), Asked(username or "", os.environ, flags), tokens)
    asked = "" if estimated.base_model.startswith("run:") else prompts_note(home_at(home), estimated.base_model)
    console = line_console()
    if as_json:
        console.print_json(data={**_as_data(estimated), "prompts": asked})
        return
    show(console, estimated)
    console.print(asked, markup=False, soft_wrap=True)


def show(console: Console, estimated: Estimate) -> None:
    e = estimated
    console.print(
        f"{e.base_model}: {e.architecture}, {e.parameters:,} weights; an adapter has {e.adapter_parameters:,}\n"
        f"{e.work.samples:,} samples, {e.work.tokens:,} tokens an epoch ({e.work.source})",
        markup=False,
        soft_wrap=True,
    )
    for note in e.notes:
        console.print(note, markup=False, soft_wrap=True)
    for trains, title in _TITLES.items():
        console.print(_table(title, [f for f in e.forecasts if f.trains == trains]))
    console.print(
        "Memory is for the largest row; time assumes a share of each machine's peak; prices change. See docs/plan.md.",
        soft_wrap=True,
    )


def _table(title: str, forecasts: list[Forecast]) -> Table:
    from idiolect.workflow.wording import about, gibibytes

    table = Table(title=title, title_justify="left", caption=_parts(forecasts[-1].memory), caption_justify="left")
    table.add_column("machine")
    for name in ("needs", "has", "time", "price"):
        table.add_column(name, justify="right")
    table.add_column("")
    for f in forecasts:
        table.add_row(
            f.machine,
            gibibytes(f.memory.peak),
            gibibytes(f.room, 0),
            about(f.seconds) if f.fits else "–",
            f"{f.dollars:,.2f} $" if f.fits and f.dollars is not None else "–",
            "[green]fits[/]" if f.fits else f"[red]does not fit[/]: {f.change or 'choose a smaller base model'}",
        )
    return table


def _parts(memory: Memory) -> str:
    """Say what a GPU's memory is for."""
    parts = {
        "weights": memory.weights,
        "adapter": memory.adapter,
        "gradients": memory.gradients,
        "optimizer": memory.optimizer,
        "activations": memory.activations,
        "logits and other passing things": memory.passing,
        "the program": memory.program,
    }
    return "On a GPU: " + ", ".join(f"{name} {size / _GIB:.1f}" for name, size in parts.items() if size) + " GiB"


def _as_data(estimated: Estimate) -> Any:
    """Return everything as plain data, with what is computed of each forecast."""
    import msgspec

    data = msgspec.to_builtins(estimated)
    for plain, forecast in zip(data["forecasts"], estimated.forecasts, strict=True):
        plain["memory"]["peak"] = forecast.memory.peak
        plain["fits"] = forecast.fits
    return data
