"""`idiolect dataset drop, restore, edit, mode, mask, edits, undo`: a data set edited by hand, memory by memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from idiolect.cli.flags import HomeFolder, Username, home_at
from idiolect.config import Mode

if TYPE_CHECKING:
    from idiolect.curation import Edit

Memory = Annotated[
    str, typer.Argument(help="Its path below memory/episodic, as ledgers have it; its id; or the id of its sample.")
]
_PANEL = "By hand, for every data set from now on"


def add_commands(app: typer.Typer) -> None:
    """Add the verbs to `idiolect dataset`."""
    for verb in (drop, restore, edit, mode, mask, edits, undo):
        app.command(rich_help_panel=_PANEL)(verb)


def drop(memory: Memory, username: Username, home: HomeFolder = None) -> None:
    """Leave a memory out."""
    from idiolect.workflow.data import editing

    _say(editing.drop(home_at(home), username, memory))


def restore(memory: Memory, username: Username, home: HomeFolder = None) -> None:
    """Take back that it was dropped by hand, or keep it whatever rule has dropped it."""
    from idiolect.workflow.data import editing

    kept = editing.restore(home_at(home), username, memory)
    if kept:
        _say(kept)
    else:
        _console().print(f"{memory}: not dropped by hand any more", markup=False)


def edit(
    memory: Memory,
    username: Username,
    turn: Annotated[int | None, typer.Option("--turn", min=1, help="Which turn, from 1.")] = None,
    text: Annotated[
        str | None, typer.Option("--text", help="What is to stand there; nothing leaves the exchange out.")
    ] = None,
    home: HomeFolder = None,
) -> None:
    """Put another text into a turn; without --turn, show the turns with their numbers."""
    from idiolect.workflow.data import editing

    if turn is not None and text is not None:
        _say(editing.set_text(home_at(home), username, memory, turn, text))
        return
    if turn is not None or text is not None:
        raise typer.BadParameter("say both, which turn and what is to stand there", param_hint="--turn, --text")
    console = _console()
    for shown in editing.open_memory(home_at(home), username, memory).turns:
        who = "they" if shown.speaker == "person" else "asked"
        console.print(f"{shown.number}  {who}: {shown.text}", markup=False)
        if shown.edited is not None:
            console.print(f"   edited: {shown.edited or '(left out)'}", markup=False)


def mode(memory: Memory, mode: Annotated[Mode, typer.Argument()], username: Username, home: HomeFolder = None) -> None:
    """State the cognitive mode of a memory."""
    from idiolect.workflow.data import editing

    _say(editing.set_mode(home_at(home), username, memory, mode))


def mask(
    memory: Memory,
    piece: Annotated[str, typer.Argument(help="What is to be masked, letter by letter.")],
    username: Username,
    home: HomeFolder = None,
) -> None:
    """Put a placeholder wherever a piece of text stands in a memory."""
    from idiolect.workflow.data import editing

    _say(editing.mask_piece(home_at(home), username, memory, piece))


def edits(username: Username, home: HomeFolder = None) -> None:
    """List what was decided by hand, and what of it is not applied."""
    from idiolect.workflow.data import editing
    from idiolect.workflow.wording import described

    console = _console()
    listed = editing.listed(home_at(home), username)
    for one in listed:
        console.print(f"{one.edit.id}  {described(one.edit)}", markup=False)
        if one.problem:
            console.print(f"        not applied: {one.problem}", markup=False)
    if not listed:
        console.print(f"Nothing of {username} was edited by hand.", markup=False)


def undo(
    edit: Annotated[str, typer.Argument(help="Its name, as `idiolect dataset edits` lists it.")],
    username: Username,
    home: HomeFolder = None,
) -> None:
    """Take an edit back."""
    from idiolect.workflow.data import editing
    from idiolect.workflow.wording import described

    undone = editing.undo(home_at(home), username, edit)
    _console().print(f"undone: {described(undone)}", markup=False)


def _say(made: Edit) -> None:
    from idiolect.workflow.wording import described

    _console().print(f"{described(made)} ({made.id}); in the next data set", markup=False)


def _console() -> Console:
    return Console(highlight=False, soft_wrap=True)
