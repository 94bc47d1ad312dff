"""`idiolect demo`: the whole cycle on the sample person, and what it did to the model."""

from __future__ import annotations

import time

from rich.console import Console

from idiolect.cli.flags import HomeFolder, home_at


def demo(home: HomeFolder = None) -> None:
    """Train on Marit Solvang, a person made up for this, and compare her model with the one it began as."""
    from idiolect.cli.cycles import full_cycle
    from idiolect.cli.view import show_side_by_side
    from idiolect.memories.sample_person import PERSON, write_sample_person
    from idiolect.workflow.archive.runs import newest
    from idiolect.workflow.models.evaluating import evaluation_of

    began = time.monotonic()
    console = Console(highlight=False)
    place = home_at(home or home_at(None).root / "demo")
    profile = write_sample_person(place)
    console.print(f"Marit Solvang's memories are in {profile.memories}", soft_wrap=True)
    console.print(
        f"[bold]idiolect full-cycle --username {PERSON} --base-model embedded --home {place.root}[/]",
        soft_wrap=True,
    )
    full_cycle(username=PERSON, home=place.root, base_model="embedded")
    show_side_by_side(console, evaluation_of(newest(place, PERSON).run).answers[:3])
    console.print(f"[dim]{time.monotonic() - began:.0f} seconds in all.[/] Go on talking to her:")
    console.print(f"[bold]idiolect chat --username {PERSON} --home {place.root}[/]", soft_wrap=True)
