"""`idiolect chat`: talk with a person's model, in the terminal or through a pipe."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from idiolect.cli.flags import HomeFolder, Username, home_at
from idiolect.config import MODES, Mode

if TYPE_CHECKING:
    from idiolect.curation import Message

#: So many messages of a talk are sent along; older ones are forgotten, so that the context holds.
_REMEMBERED = 12


def chat(
    username: Username,
    home: HomeFolder = None,
    mode: Annotated[
        Mode, typer.Option(help="How they speak: to others, to themselves, or getting things done.")
    ] = "emulation",
    run: Annotated[str | None, typer.Option(help="The model of this run, published or not.")] = None,
) -> None:
    """Talk with the published model, else the newest. `/mode dual|emulation|agent`, `/new` forgets, `/exit` ends."""
    from idiolect.curation import Message
    from idiolect.serving import load, reply
    from idiolect.workflow.registry import voice

    them = voice(home_at(home), username, run)
    console = Console(highlight=False)
    console.print(f"[dim]{them.gguf}, mode {mode}; /exit ends[/]", soft_wrap=True)
    model = load(them.gguf)
    talk: list[Message] = []
    for said in _lines(console):
        if said.startswith("/"):
            mode, talk = _command(said, mode, talk, console)
            continue
        talk = [*talk, Message("user", said)][-_REMEMBERED:]
        system = them.system_messages[mode]
        heard = [Message("system", system), *talk] if system else talk
        answer = reply(model, heard, on_text=lambda piece: console.out(piece, end=""))
        console.print()
        talk.append(Message("assistant", answer.text))


def _lines(console: Console) -> Iterator[str]:
    """Yield what is typed until /exit or the end of the input."""
    while True:
        try:
            line = console.input("[bold]you>[/] ") if sys.stdin.isatty() else input()
        except EOFError:
            return
        if line.strip() in ("/exit", "/quit"):
            return
        if line.strip():
            yield line.strip()


def _command(typed: str, mode: Mode, talk: list[Message], console: Console) -> tuple[Mode, list[Message]]:
    """Carry out a line that begins with a slash; return the mode and the talk to go on with."""
    word, _, argument = typed.partition(" ")
    wanted = next((m for m in MODES if m == argument.strip()), None)
    if word == "/mode" and wanted:
        console.print(f"[dim]mode {wanted}[/]")
        return wanted, talk
    if word == "/new":
        console.print("[dim]forgotten[/]")
        return mode, []
    console.print("[dim]/mode dual|emulation|agent, /new, /exit[/]")
    return mode, talk
