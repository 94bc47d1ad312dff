"""Two runs beside each other: options, data, losses, evaluation, as far as each has come."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from idiolect.errors import UserFault
from idiolect.files import DAMAGED, regular_bytes
from idiolect.home import Home, Run
from idiolect.workflow.archive.runs import details, find

#: What differs between any two runs and says nothing about either.
_ALWAYS_OTHER = frozenset({"seconds", "versions"})


class Line(msgspec.Struct, frozen=True):
    """One figure of two runs; None where a run has none."""

    part: str
    name: str
    a: Any
    b: Any


def compare_runs(home: Home, a: str, b: str, person: str | None = None) -> list[Line]:
    """Return what two runs can be compared by: options that differ, and all figures of data, training, evaluation."""
    first, second = (_figures(home, label, person) for label in (a, b))
    lines = []
    for part in dict.fromkeys((*first, *second)):
        ours, theirs = first.get(part, {}), second.get(part, {})
        for name in dict.fromkeys((*ours, *theirs)):
            if part != "options" or ours.get(name) != theirs.get(name):
                lines.append(Line(part, name, ours.get(name), theirs.get(name)))
    return lines


def _figures(home: Home, label: str, person: str | None) -> dict[str, dict[str, Any]]:
    """Return a run's figures by part and name. Raises UserFault for a run that is not there."""
    found, (_, run) = details(home, label, person), find(home, label, person)
    told: Any = msgspec.to_builtins(found.written)
    training = {k: v for k, v in (told.get("training") or {}).items() if k not in _ALWAYS_OTHER}
    # A journal knows only what was typed; what that comes to stands in the summary.
    options = {name: option["value"] for name, option in told.get("options", {}).items()} or told.get("flags", {})
    return {
        "run": {"cycle": found.row.cycle, "state": found.row.state},
        "options": options,
        "data": told.get("memories", {}),
        "training": dict(_flat(training)),
        "evaluation": dict(_flat(_evaluation(run))),
        "result": {"bytes of the model file": found.row.bytes, "seconds": found.row.seconds},
    }


def _evaluation(run: Run) -> Any:
    if not run.evaluation.exists():
        return {}
    try:
        return msgspec.json.decode(regular_bytes(run.evaluation))
    except DAMAGED as error:
        raise UserFault(f"{run.evaluation} cannot be read: {error}", "Make it anew: idiolect evaluate") from error


def _flat(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the numbers and words of nested JSON, with the path to each; lists of records are left out."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _flat(inner, f"{name}.{key}" if name else str(key))
    elif not isinstance(value, list) or all(isinstance(v, int | float) for v in value):
        yield name, value
