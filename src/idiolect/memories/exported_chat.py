"""A chat of several people that MetaHuman OS made one text of: `[time] Name: …` a line.

Form: MetaHuman OS, packages/core/src/connectors/chat-ingestor.ts (2026-07-18): a head of four or five lines, a rule,
then a line a message; an arrow may stand before the name, → where the writer knew that it was the person.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from idiolect.memories.memory import Turn
from idiolect.memories.recorded import joined

_RULE = re.compile(r"^-{3} ?Conversation ?-{3}\s*$", re.MULTILINE)
_LINE = re.compile(r"\[[^\]\n]{1,40}\] (?P<arrow>[→←] )?(?P<name>[^:\n]{1,80}): ?(?P<text>.*)")
_ATTACHMENT = re.compile(r"\s*📎 \[[^\n]*")
#: What exporters call the one who exports.
_SELF = frozenset({"me", "you", "self"})


def chat_turns(content: str, names: Collection[str]) -> tuple[Turn, ...]:
    """Return who said what: those called by one of `names` (in lower case) are the person, all others are others.

    Where several others speak, each of their messages begins with their name, as in other imported chats.
    """
    rule = _RULE.search(content)
    said: list[tuple[bool, str, str]] = []
    for line in content[rule.end() if rule else 0 :].split("\n"):
        if found := _LINE.fullmatch(line):
            said.append((found["arrow"] == "→ ", found["name"].strip(), found["text"]))
        elif said and line.strip() and not _ATTACHMENT.fullmatch(line):
            mine, name, text = said[-1]
            said[-1] = (mine, name, f"{text}\n{line}")
    me = _called(names, {name for _, name, _ in said})
    several = len({name for marked, name, _ in said if not marked and name not in me}) > 1
    turns = [
        Turn("person", text.strip())
        if marked or name in me
        else Turn("other", f"{name}: {text.strip()}" if several else text.strip())
        for marked, name, text in said
        if text.strip()
    ]
    return joined(turns)


def _called(names: Collection[str], present: Collection[str]) -> set[str]:
    """Return the speakers who are the person: by the whole name, or else by a first name that only one of them has."""
    exactly = {p for p in present if p.casefold() in names or p.casefold() in _SELF}
    if exactly:
        return exactly
    firsts = {name.split()[0] for name in names if name}
    alike = {p for p in present if p.split() and p.split()[0].casefold() in firsts}
    return alike if len(alike) == 1 else set()
