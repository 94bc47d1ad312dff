"""`idiolect full-cycle` and `fine-tune-cycle`: memories to a model file, through an adapter or all of the weights."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console

from idiolect.cli.flags import HomeFolder, Username, home_at, with_option_flags
from idiolect.home import FINE_TUNE, FULL, Cycle

if TYPE_CHECKING:
    from idiolect.workflow.cycle import Tell
    from idiolect.workflow.runs import Finished


@partial(with_option_flags, trains="adapter")
def full_cycle(username: Username, flags: Mapping[str, Any], home: HomeFolder = None) -> None:
    """Train a LoRA adapter on a person's memories, merge it, and write one GGUF that runs on this computer."""
    _run(FULL, username, flags, home)


@partial(with_option_flags, trains="model")
def fine_tune_cycle(username: Username, flags: Mapping[str, Any], home: HomeFolder = None) -> None:
    """Train all weights of the base model on a person's memories, and write one GGUF that runs on this computer."""
    _run(FINE_TUNE, username, flags, home)


def _run(cycle: Cycle, username: str, flags: Mapping[str, Any], home: Path | None) -> None:
    from idiolect.workflow.cycle import run_cycle
    from idiolect.workflow.plan import Asked

    place, asked = home_at(home), Asked(username, os.environ, flags)
    watch(lambda tell: run_cycle(place, asked, cycle, tell), username, home)


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
