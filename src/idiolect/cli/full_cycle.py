"""`idiolect full-cycle`: memories to a model file, through a LoRA adapter."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console

from idiolect.cli.flags import HomeFolder, Username, home_at, with_option_flags

if TYPE_CHECKING:
    from idiolect.workflow.cycle import Tell
    from idiolect.workflow.runs import Finished


@with_option_flags
def full_cycle(username: Username, flags: Mapping[str, Any], home: HomeFolder = None) -> None:
    """Train a LoRA adapter on a person's memories, merge it, and write one GGUF that runs on this computer."""
    from idiolect.workflow.cycle import full_cycle as cycle

    place = home_at(home)
    watch(lambda tell: cycle(place, username, os.environ, flags, tell), username, home)


def watch(cycle: Callable[[Tell], Finished], username: str, home: Path | None) -> None:
    """Carry out a cycle before a person's eyes."""
    from idiolect.cli.view import CycleView, show_summary

    console = Console(highlight=False)
    view = CycleView(console)
    at = f" --username {username}" + (f" --home {home}" if home else "")
    try:
        finished = cycle(view.tell)
    except KeyboardInterrupt:
        again = f"idiolect runs resume{at}"
        Console(stderr=True, soft_wrap=True).print(f"Interrupted. What is done is kept; go on with: {again}")
        raise typer.Exit(130) from None
    finally:
        view.bars.stop()
    show_summary(console, finished.summary, finished.run.folder, f"idiolect chat{at}")
