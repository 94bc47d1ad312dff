"""`idiolect studio`: what the command line does, in the browser, on this computer only."""

from __future__ import annotations

import importlib.util
from typing import Annotated

import typer
from rich.console import Console

from idiolect.cli.flags import HomeFolder, home_at


def studio(
    home: HomeFolder = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes any that is free.")] = 8643,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Print the link, and open nothing.")] = False,
) -> None:
    """Open the studio in the browser: see it, steer it; to this computer alone, until Ctrl-C."""
    from idiolect.errors import MissingPart

    if importlib.util.find_spec("nicegui") is None:
        raise MissingPart("Not installed: nicegui.", "Install it: pip install 'idiolect[studio]'")
    from idiolect.studio.app import serve

    console = Console(highlight=False, soft_wrap=True)

    def began(link: str) -> None:
        console.print(f"The studio of {home_at(home).root}: open this link, which works once; Ctrl-C ends.")
        console.print(link, markup=False)
        if not no_browser:
            import webbrowser

            webbrowser.open(link)

    try:
        serve(home_at(home), port, began, console.print)
    except KeyboardInterrupt:
        console.print("Ended; what is being trained goes on.")
