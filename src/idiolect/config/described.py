"""Options as something to be filled in: name, kind, choices, default and help, from their declarations."""

from __future__ import annotations

from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

from pydantic.fields import FieldInfo

from idiolect.config.importing import ImportOptions
from idiolect.config.options import FULL_FINE_TUNE, Options, typed

Kind = Literal["switch", "choice", "whole", "number", "text", "list"]

_KINDS: dict[Any, Kind] = {bool: "switch", int: "whole", float: "number", str: "text", tuple: "list"}


@dataclass(frozen=True)
class Described:
    """One option; `choices` are those of a choice, `optional` says that it may be left without a value."""

    name: str
    kind: Kind
    choices: tuple[str, ...]
    optional: bool
    default: Any
    help: str


def described_options(trains: str) -> list[Described]:
    """Return the options of a cycle that trains an `adapter` or a `model`, in the order of their declarations."""
    other = FULL_FINE_TUNE if trains == "model" else {}
    meant = [(n, f) for n, f in Options.model_fields.items() if typed(f).trains in (None, trains)]
    return [_described(name, field, other.get(name, field.default)) for name, field in meant]


def described_import_options() -> list[Described]:
    """Return the options of an import."""
    return [_described(name, field, field.default) for name, field in ImportOptions.model_fields.items()]


def _described(name: str, field: FieldInfo, default: Any) -> Described:
    kinds = [k for k in _members(field.annotation) if k is not NoneType]
    optional = NoneType in _members(field.annotation)
    choices = get_args(kinds[0]) if get_origin(kinds[0]) is Literal else ()
    kind = "choice" if choices else _KINDS[get_origin(kinds[0]) or kinds[0]]
    # A switch that may be left open is a choice of two.
    if kind == "switch" and optional:
        kind, choices = "choice", ("true", "false")
    return Described(name, kind, tuple(choices), optional, default, field.description or "")


def _members(annotation: Any) -> tuple[Any, ...]:
    return get_args(annotation) if get_origin(annotation) in (Union, UnionType) else (annotation,)
