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
    """Open the studio in the browser: see it, steer it; to this computer alone, until Ctrl-C.

    Where one runs for this home already, open that.
    """
    from idiolect.errors import MissingPart

    if importlib.util.find_spec("nicegui") is None:
        raise MissingPart("Not installed: nicegui.", "Install it: pip install 'idiolect[studio]'")
    from idiolect.studio.finding import fresh_link, leads_to

    console, place = Console(highlight=False, soft_wrap=True), home_at(home)

    def began(link: str, ends: str = "; Ctrl-C ends") -> None:
        console.print(f"The studio of {place.root}: open this link, which works once{ends}.")
        console.print(link, markup=False)
        if not no_browser:
            import webbrowser

            # All who use this computer can read what a process is begun with: the link stands in a file of one's own.
            webbrowser.open(leads_to(place, link).as_uri())

    if running := fresh_link(place):
        began(running, "; it runs already")
        return
    from idiolect.studio.app import serve

    try:
        serve(place, port, began, console.print)
    except KeyboardInterrupt:
        console.print("Ended; what is being trained goes on.")
