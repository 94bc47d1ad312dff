"""`idiolect worker`: carry out what is scheduled and what is queued; print what keeps a worker alive."""

from __future__ import annotations

import os
import signal
import threading
from typing import Annotated, Literal

import typer
from rich.console import Console

from idiolect.cli.flags import HomeFolder, home_at


def worker(
    queue: Annotated[
        Literal["cpu", "gpu"] | None, typer.Option("--queue", help="Take from this queue alone, instead of both.")
    ] = None,
    home: HomeFolder = None,
    print_unit: Annotated[
        Literal["systemd", "launchd"] | None,
        typer.Option(help="Print what has the system keep this worker alive, and end."),
    ] = None,
) -> None:
    """Carry out scheduled and queued runs until stopped; may be stopped, killed and started again at any time.

    Any number of workers, on any number of machines that share the home folder: set IDIOLECT_DATABASE_URL to a
    PostgreSQL database for more than one machine.
    """
    from idiolect.workflow.alone import carry_out_alone
    from idiolect.workflow.calendar.queue import QUEUES
    from idiolect.workflow.calendar.units import UNITS
    from idiolect.workflow.calendar.worker import Work, serve

    place, queues = home_at(home), [queue] if queue else list(QUEUES)
    if print_unit:
        typer.echo(UNITS[print_unit](place, queue), nl=False)
        return
    console = Console(highlight=False, soft_wrap=True)
    stop = threading.Event()
    for ending in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ending, lambda *_: stop.set())

    def tell(line: str) -> None:
        console.print(line, markup=False)

    serve(Work(place, queues, carry_out_alone(stop), tell), stop, os.environ)
    console.print("Stopped; what was going on goes on with the next worker.")
