"""`idiolect serve`: the published models for the programs on this computer, over an API like OpenAI's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from idiolect.cli.flags import HomeFolder, checked, home_at

if TYPE_CHECKING:
    from idiolect.serving import Offered


def serve(
    username: Annotated[
        list[str] | None,
        typer.Option("--username", "-u", help="Whose model; may be said again. Everybody's if not.", callback=checked),
    ] = None,
    home: HomeFolder = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes any that is free.")] = 8642,
) -> None:
    """Serve the published models to this computer's programs until Ctrl-C; what is published next is served next."""
    from idiolect.errors import OptionFault, UserFault
    from idiolect.serving import endpoint
    from idiolect.workflow.archive.registry import offered

    place, people = home_at(home), username or []

    def offer() -> Mapping[str, Offered]:
        return offered(place, people)

    if not offer():
        raise UserFault(
            f"There is no published model in {place.root}{' of ' + ', '.join(people) if people else ''}.",
            "Train one: idiolect full-cycle --username NAME, or publish one: idiolect promote RUN --username NAME",
        )
    try:
        server = endpoint(offer, port)
    except OSError as error:
        raise OptionFault(f"Port {port} cannot be had: {error}.", "Choose another with --port.") from error
    console = Console(highlight=False, soft_wrap=True)
    console.print(f"Serving {', '.join(offer())}", markup=False)
    console.print(f"at http://127.0.0.1:{server.server_port}/v1, to this computer alone; Ctrl-C ends.", markup=False)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        console.print("Ended.")
    finally:
        server.server_close()
