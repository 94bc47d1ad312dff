"""`idiolect full-cycle`: memories to a model file, through a LoRA adapter."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import typer
from rich.console import Console

from idiolect.cli.flags import HomeFolder, Username, home_at, with_option_flags


@with_option_flags
def full_cycle(username: Username, flags: Mapping[str, Any], home: HomeFolder = None) -> None:
    """Train a LoRA adapter on a person's memories, merge it, and write one GGUF that runs on this computer."""
    from idiolect.cli.view import CycleView, show_summary
    from idiolect.workflow.cycle import full_cycle as cycle

    place = home_at(home)
    console = Console(highlight=False)
    view = CycleView(console)
    try:
        finished = cycle(place, username, os.environ, flags, view.tell)
    except KeyboardInterrupt:
        Console(stderr=True).print("Interrupted; nothing half-written was left behind.")
        raise typer.Exit(130) from None
    finally:
        view.bars.stop()
    chat = f"idiolect chat --username {username}" + (f" --home {home}" if home else "")
    show_summary(console, finished.summary, finished.run.folder, chat)
