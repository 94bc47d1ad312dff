"""`idiolect machines`: what is rented, and giving back what nobody needs."""

from __future__ import annotations

import typer

from idiolect.cli.flags import HomeFolder, home_at
from idiolect.cli.listing import listing, show_table
from idiolect.errors import plain

app = typer.Typer(no_args_is_help=True, help="List rented machines, give back those that nobody needs.")


@app.command("list")
def list_(home: HomeFolder = None) -> None:
    """List all pods of the RunPod account, whoever rented them."""
    from idiolect.workflow.pods import list_pods

    table = listing("pod", "name", "state", "GPU", "$/h")
    for pod in list_pods(home_at(home)):
        table.add_row(pod.id, plain(pod.name), pod.status, pod.gpu, f"{pod.cost_per_hour:.2f}")
    show_table(table)


@app.command()
def reap(home: HomeFolder = None) -> None:
    """Terminate the pods of runs that have ended, and those past their deadline."""
    from idiolect.workflow.pods import reap_pods

    ended = 0
    for ended, pod in enumerate(reap_pods(home_at(home)), start=1):  # noqa: B007 - how many they were
        typer.echo(f"given back: {pod.id} {plain(pod.name)}")
    if not ended:
        typer.echo("No pod is left that nobody needs.")
