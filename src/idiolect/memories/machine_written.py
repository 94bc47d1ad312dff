"""Which memories a machine wrote, by the rules of curation.json (config/whose.py)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from idiolect.config import conditions
from idiolect.memories.memory import Memory

_METADATA = "metadata."


@dataclass(frozen=True)
class _Mark:
    """One way to tell that a rule holds: all of its conditions beside the first, by which it is looked up."""

    rule: str
    rest: tuple[str, ...]


@dataclass(frozen=True)
class MachineWritten:
    """The rules, name → marks, ready to be asked a hundred thousand times."""

    rules: Mapping[str, Sequence[str]]

    def rule(self, memory: Memory) -> str | None:
        """Name the first rule by which a machine wrote a memory, if there is one."""
        for condition in self._firsts_that_hold(memory):
            for mark in self._by_first[condition]:
                if all(_holds(other, memory) for other in mark.rest):
                    return mark.rule
        return None

    def _firsts_that_hold(self, memory: Memory) -> list[str]:
        """Return the first conditions that hold: none, of most memories, which has to cost little."""
        known = {f"type={memory.type.lower()}", f"folder={memory.source.partition('/')[0]}"}
        known.update([f"tag={tag.lower()}" for tag in memory.tags])
        found = [] if self._by_first.keys().isdisjoint(known) else sorted(known & self._by_first.keys(), reverse=True)
        if memory.metadata:
            keys = [key for key in memory.metadata if key in self._keys]
            found += [condition for key in keys for condition in self._keys[key] if _holds(condition, memory)]
        return found

    @cached_property
    def _by_first(self) -> Mapping[str, Sequence[_Mark]]:
        found: dict[str, list[_Mark]] = defaultdict(list)
        for rule, marks in self.rules.items():
            for mark in marks:
                first, *rest = conditions(mark)
                for condition in [first] if "=" in first or "." in first else _as_type_tag_or_folder(first):
                    found[condition].append(_Mark(rule, tuple(rest)))
        return dict(found)

    @cached_property
    def _keys(self) -> Mapping[str, Sequence[str]]:
        """Metadata's keys that a first condition is about."""
        found: dict[str, list[str]] = defaultdict(list)
        for condition in self._by_first:
            if condition.startswith(_METADATA):
                path = condition.removeprefix(_METADATA).partition("=")[0]
                found[path.partition(".")[0]].append(condition)
        return dict(found)


def _as_type_tag_or_folder(word: str) -> list[str]:
    return [f"type={word.lower()}", f"tag={word.lower()}", f"folder={word}"]


def _holds(condition: str, memory: Memory) -> bool:
    if condition.startswith("not "):
        return not _holds(condition.removeprefix("not "), memory)
    if condition.startswith(_METADATA):
        path, _, wanted = condition.removeprefix(_METADATA).partition("=")
        value: Any = memory.metadata
        for key in path.split("."):
            value = value.get(key) if isinstance(value, dict) else None
        # A key without a value says nothing: {"photo": null}; {} does, for a photo without any details.
        return bool(value == wanted if wanted else value is not None and value is not False)
    what, equals, named = condition.partition("=")
    if not equals:
        return any(_holds(one, memory) for one in _as_type_tag_or_folder(condition))
    if what == "tag":
        return named.lower() in map(str.lower, memory.tags)
    return named == (memory.type.lower() if what == "type" else memory.source.partition("/")[0])
