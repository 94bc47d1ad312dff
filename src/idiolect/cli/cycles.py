"""`idiolect full-cycle` and `fine-tune-cycle`: memories to a model file, through an adapter or all of the weights."""

from __future__ import annotations

import dataclasses
import os
import sys
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console

from idiolect.cli.flags import HomeFolder, Queue, Username, Wait, home_at, with_option_flags
from idiolect.cli.listing import line_console
from idiolect.errors import NeedsConsent
from idiolect.home import FINE_TUNE, FULL, Cycle

if TYPE_CHECKING:
    from idiolect.workflow.archive.runs import Finished
    from idiolect.workflow.planning.plan import Asked
    from idiolect.workflow.records.events import Tell


@partial(with_option_flags, trains="adapter")
def full_cycle(
    username: Username, flags: Mapping[str, Any], home: HomeFolder = None, wait: Wait = False, queue: Queue = None
) -> None:
    """Train a LoRA adapter on a person's memories, merge it, and write one GGUF that runs on this computer."""
    _run(FULL, _asked(username, flags), home, wait=wait, queue=queue)


@partial(with_option_flags, trains="model")
def fine_tune_cycle(
    username: Username, flags: Mapping[str, Any], home: HomeFolder = None, wait: Wait = False, queue: Queue = None
) -> None:
    """Train all weights of the base model on a person's memories, and write one GGUF that runs on this computer."""
    _run(FINE_TUNE, _asked(username, flags), home, wait=wait, queue=queue)


def _asked(username: str, flags: Mapping[str, Any]) -> Asked:
    from idiolect.workflow.planning.plan import Asked

    return Asked(username, os.environ, flags)


def _run(cycle: Cycle, asked: Asked, home: Path | None, *, wait: bool, queue: str | None) -> None:
    try:
        _begin(cycle, asked, home, wait=wait, queue=queue)
    except NeedsConsent as fault:
        if not sys.stdin.isatty():
            raise
        typer.confirm(f"{fault.problem}\nGo on?", abort=True)
        agreed = dataclasses.replace(asked, flags={**asked.flags, fault.flag: True})
        _run(cycle, agreed, home, wait=wait, queue=queue)


def _begin(cycle: Cycle, asked: Asked, home: Path | None, *, wait: bool, queue: str | None) -> None:
    place = home_at(home)
    if queue:
        from idiolect.workflow.calendar.queue import put

        say_queued(put(place, asked, cycle, queue), queue)
        return
    from idiolect.workflow.cycle import run_cycle

    watch(lambda tell: run_cycle(place, asked, cycle, tell, wait=wait), asked.person, home)


def say_queued(label: str, queue: str) -> None:
    console = Console(highlight=False, soft_wrap=True)
    console.print(f"{label} is in the queue {queue}; an `idiolect worker --queue {queue}` takes it from there.")


def watch(cycle: Callable[[Tell], Finished], username: str, home: Path | None) -> None:
    """Carry out a cycle before a person's eyes."""
    from idiolect.cli.view import CycleView, show_summary
    from idiolect.workflow.archive.registry import read_registry

    console = line_console()
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
    published = read_registry(home_at(home).profile(username)).published
    this = "" if published and published.label == finished.run.label else f" --run {finished.run.label}"
    show_summary(console, finished.summary, finished.run.folder, f"idiolect chat{at}{this}")
