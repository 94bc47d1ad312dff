"""`idiolect forget`: take memories out of all data, train anew without them, and show that it helped."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from idiolect.cli.flags import HomeFolder, Username, home_at

if TYPE_CHECKING:
    from idiolect.dataset import TrainingText
    from idiolect.workflow.models.forgetting import Found

_FATES = {"train": "learned from", "held_out": "held out"}


def forget(  # noqa: PLR0913, PLR0917 - each is something that is typed
    username: Username,
    memory: Annotated[
        str | None, typer.Option("--memory", help="One memory: its path below memory/episodic, or its id.")
    ] = None,
    person: Annotated[str | None, typer.Option("--person", help="All memories that name somebody.")] = None,
    before: Annotated[
        datetime | None, typer.Option("--before", formats=["%Y-%m-%d"], help="All memories from before a day.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Delete them; without it they are only listed.")] = False,
    retrain: Annotated[
        bool, typer.Option("--retrain", help="And train anew, as the newest model that knows them was.")
    ] = False,
    home: HomeFolder = None,
) -> None:
    """List what holds some memories; with --yes take them out; with --retrain train anew, and prove it."""
    from datetime import UTC

    from idiolect.workflow.models.forgetting import Wish, find, take_out

    if sum(wish is not None for wish in (memory, person, before)) != 1:
        raise typer.BadParameter("say one of the three", param_hint="--memory, --person or --before")
    place = home_at(home)
    console = Console(highlight=False, soft_wrap=True)
    wish = Wish(memory, person, before.replace(tzinfo=UTC) if before else None)
    found = find(place, username, wish)
    _show(console, found)
    if not yes:
        console.print("Nothing was changed. To take them out of all data: the same with --yes", markup=False)
        return
    learned = take_out(place, username, found)
    gone = "1 memory is" if len(found.files) == 1 else f"{len(found.files)} memories are"
    console.print(f"{gone} gone from the memories, data sets, ledgers and reports.")
    if not found.models:
        return
    for run in found.models:
        console.print(f"This model still knows them: {run.gguf}", markup=False)
    if retrain:
        _train_anew(console, username, home, found, learned)
    else:
        console.print(
            f"Train anew, and then delete the folders of those runs: idiolect {found.models[-1].cycle.name} "
            f"--username {username} --publish always",
            markup=False,
        )


def _show(console: Console, found: Found) -> None:
    console.print("1 memory:" if len(found.files) == 1 else f"{len(found.files)} memories:", markup=False)
    for name in list(found.files)[:20]:
        console.print(f"  {name}", markup=False)
    if len(found.files) > 20:
        console.print(f"  and {len(found.files) - 20} more", markup=False)
    if found.dataset:
        console.print(f"the data set that was made without a run: {_did(found.dataset)}", markup=False)
    for holds in found.runs:
        inherited = ["went on from a model that learned from some"] if holds.heir else []
        told = ", ".join([*([_did(holds.fates)] if holds.fates else []), *inherited])
        console.print(f"run {holds.run.label}{', published' if holds.published else ''}: {told}", markup=False)


def _did(fates: Mapping[str, int]) -> str:
    return ", ".join(f"{_FATES.get(fate, fate)} {count}" for fate, count in fates.items())


def _train_anew(
    console: Console, username: str, home: Path | None, found: Found, learned: dict[str, list[TrainingText]]
) -> None:
    from idiolect.cli.cycles import watch
    from idiolect.home import CYCLES
    from idiolect.workflow.archive.runs import find_run, newest
    from idiolect.workflow.cycle import run_cycle
    from idiolect.workflow.models.forgetting import as_asked_for, proof

    place, old = home_at(home), found.models[-1].label
    asked, cycle = as_asked_for(place.profile(username), find_run(place, old, username))
    watch(lambda tell: run_cycle(place, asked, CYCLES[cycle], tell), username, home)
    new = newest(place, username).run.label
    texts = learned.get(old) or [text for of_run in learned.values() for text in of_run]
    for name, known in proof(place, username, texts, old, new).items():
        loss = known.loss
        recited = f"; recites {known.recited.recited} of {known.recited.tries}" if known.recited else ""
        console.print(
            f"{name:<7} {loss.value:.3f} nats a token of theirs ({loss.low:.3f} to {loss.high:.3f}){recited}",
            markup=False,
        )
    console.print("Now delete the folders of the runs whose models still know them:", markup=False)
    for run in found.models:
        console.print(f"  {run.folder}", markup=False)
