"""Flags drawn from config.Options: one for each option, with the help that stands under it there."""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Optional, get_origin

import msgspec
import typer
from pydantic.fields import FieldInfo

from idiolect.config import FULL_FINE_TUNE, ImportOptions, Options, typed
from idiolect.errors import UnknownPerson
from idiolect.home import Home, default_root

#: One part of a path, as every system can have it.
_NAME = re.compile(r"[^/\\\x00-\x1f\x7f-\x9f\ud800-\udfff]{1,60}")


def checked(context: typer.Context, option: typer.CallbackParam, value: Any) -> Any:
    """Let a command begin only if whom it names is known in its home: every --username and --home goes through here.

    The later of the two finds the other. Raises UnknownPerson, also for what can be nobody's name.
    """
    given = {**context.params, str(option.name): value}
    if {"home", "username"} <= given.keys() and given["username"] is not None:
        named = given["username"]
        for person in [named] if isinstance(named, str) else named:
            _check(home_at(given["home"]), person, may_be_new=context.info_name == "import")
    return value


def _check(home: Home, person: str, *, may_be_new: bool) -> None:
    if person in (".", "..") or not _NAME.fullmatch(person):
        raise UnknownPerson(f"{person[:80]!r} cannot be anybody's name.", "A name is that of a folder in profiles/.")
    if not may_be_new and not home.knows(person):
        raise UnknownPerson(
            f"There is no profile of {person!r} in {home.root / 'profiles'}.",
            f"Known: {', '.join(home.people()) or 'nobody yet'}.",
        )


Username = Annotated[
    str, typer.Option("--username", "-u", help="Whose memories: a folder in profiles/.", callback=checked)
]
HomeFolder = Annotated[
    Path | None,
    typer.Option("--home", help="Where everything lives (default: $IDIOLECT_HOME or ~/.idiolect)", callback=checked),
]
AnyUsername = Annotated[str | None, typer.Option("--username", "-u", help="Of this person alone.", callback=checked)]
AsJson = Annotated[bool, typer.Option("--json", help="For programs.")]
Wait = Annotated[bool, typer.Option("--wait", help="Wait for another run of this person instead of refusing.")]
Queue = Annotated[
    Literal["cpu", "gpu"] | None,
    typer.Option("--queue", help="Leave it to an `idiolect worker` that takes from this queue."),
]


def home_at(folder: Path | None) -> Home:
    return Home((folder or default_root()).expanduser().absolute())


def print_json(value: Any) -> None:
    """Print structs for programs; moments in ISO 8601."""
    typer.echo(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())


def flag(name: str, field: FieldInfo) -> str:
    """Return how an option is typed on the command line."""
    return typed(field).flag or "--" + name.replace("_", "-")


def with_option_flags(command: Callable[..., None], trains: str | None = None) -> Callable[..., None]:
    """Give a command the flags of Options, those for what it trains; it gets the typed ones as `flags`, by name."""
    meant = {name: field for name, field in Options.model_fields.items() if typed(field).trains in (None, trains)}
    other = FULL_FINE_TUNE if trains == "model" else {}
    panel = "Options of etc/training.json"
    drawn = [_parameter(name, field, other.get(name, field.default), panel) for name, field in meant.items()]
    return _with_flags(command, drawn)


def with_import_flags(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the flags of ImportOptions, in the same way."""
    fields = ImportOptions.model_fields.items()
    return _with_flags(command, [_parameter(name, field, field.default, "Options") for name, field in fields])


def _with_flags(command: Callable[..., None], drawn: list[inspect.Parameter]) -> Callable[..., None]:
    own = [p for p in inspect.signature(command, eval_str=True).parameters.values() if p.name != "flags"]

    @functools.wraps(command)
    def typed_command(**given: Any) -> None:
        flags: Mapping[str, Any] = {p.name: given.pop(p.name, None) for p in drawn}
        command(**given, flags=flags)

    signature = inspect.Signature([*own, *drawn])
    typed_command.__signature__ = signature  # type: ignore[attr-defined]
    typed_command.__annotations__ = {p.name: p.annotation for p in signature.parameters.values()}
    del typed_command.__wrapped__
    return typed_command


def _parameter(name: str, field: FieldInfo, value: object, panel: str) -> inspect.Parameter:
    default = "" if value in (None, "", ()) else f" (default: {value})"
    word = flag(name, field)
    declared = typer.Option(
        f"{word}/--no-{word.removeprefix('--')}" if field.annotation is bool else word,
        help=f"{field.description}{default}",
        rich_help_panel=panel,
    )
    kind: Any = list[str] if get_origin(field.annotation) is tuple else field.annotation
    annotation: Any = Annotated[Optional[kind], declared]  # noqa: UP045
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)
