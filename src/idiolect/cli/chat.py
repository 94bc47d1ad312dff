"""`idiolect chat`: talk with a person's model, in the terminal or through a pipe, and judge what it says."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from idiolect.cli.flags import HomeFolder, Username, home_at
from idiolect.config import MODES, Mode

if TYPE_CHECKING:
    from idiolect.curation import Message
    from idiolect.home import Home
    from idiolect.memories import Answered

#: So many messages of a talk are sent along; older ones are forgotten, so that the context holds.
_REMEMBERED = 12


@dataclass
class Talk:
    """A talk that is going on, and with whom."""

    home: Home
    person: str
    model: str
    """The run's label."""
    mode: Mode
    messages: list[Message] = field(default_factory=list)
    last: Answered | None = None
    """What can be judged."""


def chat(
    username: Username,
    home: HomeFolder = None,
    mode: Annotated[
        Mode, typer.Option(help="How they speak: to others, to themselves, or getting things done.")
    ] = "emulation",
    run: Annotated[str | None, typer.Option(help="The model of this run, published or not.")] = None,
) -> None:
    """Talk with the published model, else the newest.

    `/mode dual|emulation|agent`, `/new` forgets, `/exit` ends. `/good` and `/bad` judge the last answer,
    `/better TEXT` says how you would have said it: the next data set learns from that.
    """
    from idiolect.curation import Message
    from idiolect.memories import Answered
    from idiolect.serving import load, reply
    from idiolect.workflow.archive.registry import voice

    place = home_at(home)
    them = voice(place, username, run)
    console = Console(highlight=False)
    console.print(f"[dim]{them.gguf}, mode {mode}; /exit ends[/]", soft_wrap=True)
    model = load(them.gguf)
    talk = Talk(place, username, them.label, mode)
    for said in _lines(console):
        if said.startswith("/"):
            _command(said, talk, console)
            continue
        talk.messages = [*talk.messages, Message("user", said)][-_REMEMBERED:]
        system = them.system_messages[talk.mode]
        heard = [Message("system", system), *talk.messages] if system else talk.messages
        answer = reply(model, heard, on_text=lambda piece: console.out(piece, end=""))
        console.print()
        talk.messages.append(Message("assistant", answer.text))
        talk.last = Answered(prompt=said, answer=answer.text, mode=talk.mode, model=them.label)


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


def _command(typed: str, talk: Talk, console: Console) -> None:
    """Carry out a line that begins with a slash."""
    word, _, argument = typed.partition(" ")
    wanted = next((m for m in MODES if m == argument.strip()), None)
    if word == "/mode" and wanted:
        talk.mode = wanted
        done = f"mode {wanted}"
    elif word == "/new":
        talk.messages, talk.last = [], None
        done = "forgotten"
    elif word in ("/good", "/bad", "/better"):
        done = _judge(word, argument, talk)
    else:
        done = "/mode dual|emulation|agent, /good, /bad, /better TEXT, /new, /exit"
    console.print(f"[dim]{done}[/]")


def _judge(word: str, own_words: str, talk: Talk) -> str:
    """Write what is said of the last answer into the memories; a fault does not end the talk."""
    from idiolect.curation import Message
    from idiolect.errors import UserFault
    from idiolect.workflow.data import feedback

    if talk.last is None:
        return "There is no answer yet that could be judged."
    try:
        if word == "/better":
            feedback.reword(talk.home, talk.person, talk.last, own_words)
            talk.messages[-1] = Message("assistant", own_words.strip())
            return "your words will be learned, that answer will not"
        if word == "/good":
            feedback.approve(talk.home, talk.person, talk.last)
            return "will be learned from"
        feedback.reject(talk.home, talk.person, talk.last)
    except UserFault as fault:
        return fault.problem
    return "will not be learned from"
