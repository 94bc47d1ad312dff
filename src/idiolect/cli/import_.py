"""`idiolect import`: what was written elsewhere becomes memories."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from idiolect.cli.flags import HomeFolder, checked, home_at, with_import_flags

if TYPE_CHECKING:
    from idiolect.config import ImportOptions
    from idiolect.memories.importers import Imported, Person, Survey

_PEOPLE = 12


@with_import_flags
def import_(  # noqa: PLR0913, PLR0917 - what can be typed
    flags: Mapping[str, Any],
    source: Annotated[str | None, typer.Argument(help="chatgpt, whatsapp, …: see docs/import.md.")] = None,
    path: Annotated[Path | None, typer.Argument(help="The file, folder or zip that was downloaded.")] = None,
    username: Annotated[
        str | None, typer.Option("--username", "-u", help="Whose memories; made if new.", callback=checked)
    ] = None,
    detect: Annotated[Path | None, typer.Option("--detect", help="Say what this is, and write nothing.")] = None,
    home: HomeFolder = None,
) -> None:
    """Bring in what was written elsewhere: messages, journals, letters; only what is new."""
    from idiolect.workflow.data.importing import import_memories, import_options

    options = import_options(flags)
    if detect is not None:
        _detect(detect, options)
        return
    if source is None or path is None or username is None:
        raise typer.BadParameter("say: idiolect import SOURCE PATH --username NAME, or: idiolect import --detect PATH")
    ask = _ask if sys.stdin.isatty() else None
    _show_import(import_memories(home_at(home), username, source, path, options, ask), username)


def _detect(path: Path, options: ImportOptions) -> None:
    from idiolect.errors import ExportFault
    from idiolect.memories.importers import SOURCES
    from idiolect.workflow.data.importing import detect, nothing_known

    found = False
    for name, seen in detect(path, options):
        found = True
        _say(f"{SOURCES[name].title}: idiolect import {name} {shlex.quote(str(path))} --username NAME")
        if isinstance(seen, ExportFault):
            _say(f"  {seen.problem}\n  {seen.remedy}")
        else:
            _show_survey(seen)
    if not found:
        raise nothing_known(path)


def _show_survey(seen: Survey) -> None:
    talks = "1 conversation" if seen.threads == 1 else f"{seen.threads:,} conversations"
    _say(f"  {seen.messages:,} messages in {talks}{_period(seen)}")
    people = [who for who, _ in seen.people()]
    for who, count in seen.people()[:_PEOPLE]:
        _say(f"  {count:>9,}  {_called(who, people)}")
    if len(seen.said) > _PEOPLE:
        _say(f"             and {len(seen.said) - _PEOPLE:,} more")
    if not seen.marked and seen.said:
        likely = seen.likely_me()
        hint = f', perhaps: --me "{likely.name or likely.id}"' if likely else ': --me "NAME"'
        _say(f"  The export does not say who you are; say it{hint}")
    _show_remarks(seen)
    _show_unreadable(seen)


def _called(who: Person, people: list[Person]) -> str:
    if not who.me:
        namesakes = sum(other.name == who.name for other in people)
        return f"{who.name}, {who.id}" if who.name and namesakes > 1 else who.name or who.id
    return f"{who.name}  (you)" if who.name else "you"


def _show_import(done: Imported, username: str) -> None:
    seen = done.survey
    _say(f"{seen.messages:,} messages{_period(seen)}:")
    _say(f"  {done.own:>9,}  yours, in {done.memories:,} new memories")
    _say(f"  {done.context:>9,}  of others, as what yours answer")
    for rule, count in done.rules.items():
        _say(f"  {count:>9,}  {rule}{_example(done.examples.get(rule))}")
    _show_remarks(seen)
    _show_unreadable(seen)
    _say(f"The memories are in {done.folder}, and what became of each message in ledger.jsonl there.")
    _say(f"Next: idiolect dataset --username {username}")


def _show_remarks(seen: Survey) -> None:
    if seen.remarks:
        _say("Of these, and of lines that are no message of their own:")
    for rule, count in seen.remarks.most_common():
        _say(f"  {count:>9,}  {rule}{_example(seen.examples.get(rule))}")


def _example(text: str | None) -> str:
    return f", as “{text}”" if text else ""


def _show_unreadable(seen: Survey) -> None:
    if seen.unread:
        _say(f"  {seen.unread:>9,}  could not be read:")
        for item in seen.unreadable[:5]:
            _say(f"             {item.where}: {item.reason}")


def _period(seen: Survey) -> str:
    from idiolect.memories.importers import day

    if seen.first is None or seen.last is None:
        return ""
    return f", {day(seen.first)} to {day(seen.last)}"


def _ask(seen: Survey) -> str:
    """Let the person choose who they are among those who wrote."""
    people = [who for who, _ in seen.people()[:_PEOPLE]]
    for number, who in enumerate(people, start=1):
        _say(f"  {number:>2}  {_called(who, people)}")
    typed: str = typer.prompt("Which of these are you (number, or a name)?")
    if typed.isdecimal() and 1 <= int(typed) <= len(people):
        return people[int(typed) - 1].id
    return typed


def _say(line: str) -> None:
    Console(highlight=False, soft_wrap=True).print(line, markup=False)
