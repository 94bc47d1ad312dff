"""An export → memories: all of what is new, or nothing.

Everything is written beside its place first, the ledger last; then the folder of new memories is moved into the
profile, and the ledger after it. An import that was killed before its ledger was whole has never been; one that was
killed later is brought to its end by the next.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from idiolect.errors import ExportFault
from idiolect.files import remove
from idiolect.home import Profile
from idiolect.memories.importers.conversations import BEFORE, Builder, Others
from idiolect.memories.importers.events import Writing
from idiolect.memories.importers.export import DAMAGE, Export
from idiolect.memories.importers.ledger import Seen, lines
from idiolect.memories.importers.message import Asked, Message, Remark, Unreadable
from idiolect.memories.importers.pseudonyms import Pseudonyms
from idiolect.memories.importers.sources import SOURCES
from idiolect.memories.importers.survey import Survey, is_me
from idiolect.memories.importers.writing import LEDGER as PARTIAL
from idiolect.memories.importers.writing import Scribe

LEDGER = "ledger.jsonl"
PEOPLE_SHOWN = 12


@dataclass(frozen=True)
class Imported:
    """What came of an import. messages = own + context + the sum of rules."""

    folder: Path
    survey: Survey
    memories: int
    own: int
    context: int
    rules: dict[str, int]
    examples: dict[str, str]
    """For each rule, the text of the first message that it left out."""


class UnknownSelf(ExportFault):
    """Nobody who wrote in an export is known to be the person; `survey` says who did."""

    def __init__(self, source: str, survey: Survey, me: Collection[str]) -> None:
        people = [f"{who.name or who.id} ({count:,})" for who, count in survey.people()[:PEOPLE_SHOWN]]
        more = len(survey.said) - len(people)
        everyone = ", ".join(people) + (f" and {more:,} more" if more > 0 else "")
        if not people:
            problem = "No message of anybody can be read in this {} export."
        elif me:
            problem = f"Nobody in this {{}} export is called {' or '.join(map(repr, me))}."
        else:
            problem = "Nothing in this {} export says which of the people in it is you."
        remedy = (
            f'Say who you are with --me "NAME"; it has: {everyone}.' if people else "Was it cut off? Export it again."
        )
        super().__init__(problem.format(SOURCES[source].title), remedy)
        self.survey = survey


def survey(source: str, export: Export, asked: Asked) -> Survey:
    """Read an export and count, without writing anything."""
    found = Survey()
    for _ in found.watch(_read(source, export, asked)):
        pass
    return found


def bring_in(  # noqa: PLR0913 - what an import is asked for by
    source: str,
    export: Export,
    profile: Profile,
    asked: Asked,
    *,
    pause: float,
    others: Others = "keep",
    names: Pseudonyms | None = None,
) -> Imported:
    """Write the memories of an export that a profile does not have yet. `pause` is in seconds."""
    target, staging = profile.imported(source), profile.importing(source)
    settle_import(profile, source)
    staging.mkdir(parents=True)
    if (target / LEDGER).exists():
        shutil.copyfile(target / LEDGER, staging / PARTIAL)
    claimed, named = _seen(target / LEDGER)
    builder = Builder(is_me(asked.me), lambda t, m: claimed.add((t, m)), lambda t, m: (t, m) in named, pause, others)
    found = Survey()
    scribe = Scribe(Writing(source, profile.person, asked.zone, others, names.known if names else None), staging)

    def aside(item: Unreadable | Remark) -> None:
        if isinstance(item, Unreadable) or (item.thread, item.id) not in named:
            scribe.take(item)

    try:
        for item in builder.build(found.watch(_read(source, export, asked), aside)):
            scribe.take(item)
        if not any(builder.is_me(who) for who, _ in found.people()):
            raise UnknownSelf(source, found, asked.me)
        counts = scribe.close()
    except BaseException:
        scribe.abandon()
        remove(staging)
        raise
    if counts.own or set(counts.rules) - {BEFORE}:
        if names:
            names.save()
        os.sync()  # one for all files: a hundred thousand of their own would take minutes
        (staging / PARTIAL).rename(staging / LEDGER)
        finish(staging, target)
    remove(staging)
    rules = dict(counts.rules.most_common())
    examples = builder.examples
    return Imported(target, found, counts.memories, counts.own, counts.context, rules, examples)


def settle_import(profile: Profile, source: str) -> bool:
    """Bring to its end, or remove, what an import has left that was cut off; return whether it was whole."""
    staging = profile.importing(source)
    whole = (staging / LEDGER).exists()
    finish(staging, profile.imported(source))
    remove(staging)
    return whole


def finish(staging: Path, target: Path) -> None:
    """Move what an import has written to its place, if it had come so far; done again, it goes on."""
    if not (staging / LEDGER).exists():
        return
    target.mkdir(parents=True, exist_ok=True)
    if (staging / "memories").exists():
        _merge(staging / "memories", target)
    (staging / LEDGER).replace(target / LEDGER)


def _merge(source: Path, target: Path) -> None:
    for child in sorted(source.iterdir()):
        there = target / child.name
        if child.is_dir() and there.is_dir():
            _merge(child, there)
        else:
            child.replace(there)


def _read(source: str, export: Export, asked: Asked) -> Iterator[Message | Unreadable | Remark]:
    for where, why in export.refused:
        yield Unreadable(where, why)
    try:
        yield from SOURCES[source].read(export, asked)
    except DAMAGE as error:
        raise ExportFault(
            f"{export.path} cannot be read to its end: {error}", "Is it whole? Download it again, and import that."
        ) from error


def _seen(path: Path) -> tuple[Seen, Seen]:
    """Return the person's messages that are in memories, and all messages of which a ledger says what became."""
    claimed, named = Seen(), Seen()
    for line in lines(path):
        for name in line.own:
            claimed.add((line.thread, name))
        for name in (*line.own, *line.context, *line.left, *line.noted):
            named.add((line.thread, name))
    return claimed, named
