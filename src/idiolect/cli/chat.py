"""`idiolect chat`: talk with a person's model, in the terminal or through a pipe, and judge what it says."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import TextIOWrapper
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape

from idiolect.cli.flags import HomeFolder, Username, home_at
from idiolect.config import MODES, Mode
from idiolect.unicode_text import composed

if TYPE_CHECKING:
    from idiolect.curation import Message
    from idiolect.home import Home
    from idiolect.memories import Answered
    from idiolect.serving import Model, Reply


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
    from idiolect.errors import IdiolectError
    from idiolect.serving import check_again, load
    from idiolect.workflow.archive.registry import voice

    place = home_at(home)
    them = voice(place, username, run)
    console = Console(highlight=False)
    console.print(f"[dim]{them.gguf}, mode {mode}; /exit ends[/]", soft_wrap=True)
    model = load(them.gguf, them.context)
    check_again(model)
    talk, failed = Talk(place, username, them.label, mode), 0
    for said in _lines(console):
        if said.startswith("/"):
            _command(said, talk, console)
            continue
        try:
            _ask(model, composed(said), them.system_messages.get(talk.mode, ""), talk, console)
        except IdiolectError as fault:
            failed = fault.exit_code
            Console(stderr=True, highlight=False).print(f"[red]{escape(str(fault))}[/]", soft_wrap=True)
    if failed and not sys.stdin.isatty():
        raise typer.Exit(failed)


def _ask(model: Model, said: str, system: str, talk: Talk, console: Console) -> None:
    """Let the model answer what was said last, and say what came instead of an answer, or was forgotten for it.

    Without an answer the talk goes on as if nothing had been said. Raises UserFault for what cannot be asked, and
    RunFailed for an answer that ends in an error.
    """
    from idiolect.curation import Message
    from idiolect.memories import Answered
    from idiolect.serving import reply, within

    before = [Message("system", system)] if system else []
    fitted = within(model, [*before, *talk.messages, Message("user", said)])
    if fitted.dropped:
        which = "oldest turn is" if fitted.dropped == 1 else f"{fitted.dropped} oldest turns are"
        console.print(f"[dim]The model holds {model.context:,} tokens: the {which} forgotten.[/]", soft_wrap=True)
    answer = reply(model, fitted.messages, on_text=lambda piece: console.out(piece, end=""))
    console.print()
    if note := _note(answer):
        console.print(f"[dim]{escape(note)}[/]", soft_wrap=True)
    if not answer.text:
        talk.last = None
        return
    talk.messages = [m for m in fitted.messages if m.role != "system"]
    talk.messages.append(Message("assistant", answer.text))
    talk.last = Answered(prompt=said, answer=answer.text, mode=talk.mode, model=talk.model)


def _note(answer: Reply) -> str:
    """Say how an answer ended, if not of itself."""
    if not answer.text:
        return "Only a thought came, and no answer." if answer.thought else "The model ended its turn at once."
    return f"Cut off after {answer.tokens} tokens." if answer.finish_reason == "length" else ""


def _lines(console: Console) -> Iterator[str]:
    """Yield what is typed until /exit or the end of the input."""
    if isinstance(sys.stdin, TextIOWrapper):
        sys.stdin.reconfigure(errors="surrogateescape")  # what is no UTF-8 is refused when it is asked, not here
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
            feedback.reword(talk.home, talk.person, talk.last, composed(own_words))
            talk.messages[-1] = Message("assistant", own_words.strip())
            return "your words will be learned, that answer will not"
        if word == "/good":
            feedback.approve(talk.home, talk.person, talk.last)
            return "will be learned from"
        feedback.reject(talk.home, talk.person, talk.last)
    except UserFault as fault:
        return fault.problem
    return "will not be learned from"
