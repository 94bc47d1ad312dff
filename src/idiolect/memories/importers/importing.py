"""An export → memories: all of what is new, or nothing.

Everything is written beside its place first, the ledger last; then the folder of new memories is moved into the
profile, and the ledger after it. An import that was killed before its ledger was whole has never been; one that was
killed later is brought to its end by the next.
"""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from idiolect.errors import ExportFault
from idiolect.files import remove
from idiolect.home import Profile
from idiolect.memories.importers.conversations import BEFORE, Builder, Others
from idiolect.memories.importers.events import Writing
from idiolect.memories.importers.export import DAMAGE, Export
from idiolect.memories.importers.identity import Selves, identity_of
from idiolect.memories.importers.ledger import Seen, lines
from idiolect.memories.importers.message import Asked, Message, Person, Remark, Unreadable
from idiolect.memories.importers.pseudonyms import Pseudonyms
from idiolect.memories.importers.sources import SOURCES
from idiolect.memories.importers.survey import Survey
from idiolect.memories.importers.writing import LEDGER as PARTIAL
from idiolect.memories.importers.writing import Counts, Scribe

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
    """Who wrote in an export is not known to be the person, or too many are; `survey` says who did."""

    def __init__(self, source: str, survey: Survey, me: Collection[str], bearers: Collection[Person] = ()) -> None:
        people = [(who, count) for who, count in survey.people() if not bearers or who.id in map(identity_of, bearers)]
        names = Counter(who.name for who, _ in people)
        listed = [_listed(who, count, alone=names[who.name] == 1) for who, count in people[:PEOPLE_SHOWN]]
        more = len(people) - len(listed)
        everyone = ", ".join(listed) + (f" and {more:,} more" if more > 0 else "")
        called = " or ".join(map(repr, me))
        if not people:
            problem = "No message of anybody can be read in this {} export."
        elif bearers:
            problem = f"Several in this {{}} export are called {called}."
        elif me:
            problem = f"Nobody in this {{}} export is called {called}."
        else:
            problem = "Nothing in this {} export says which of the people in it is you."
        remedy = f'Say who you are with --me "NAME"; it has: {everyone}.' if people else "Export it again, whole."
        if bearers:
            remedy = (
                f'Say which of them you are, or each that you are: --me "{people[0][0].id}"; there are: {everyone}.'
            )
        super().__init__(problem.format(SOURCES[source].title), remedy)
        self.survey = survey


def _listed(who: Person, count: int, *, alone: bool) -> str:
    called = who.name or who.id
    return f"{called} ({count:,})" if alone or who.id == called else f"{called}, {who.id} ({count:,})"


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
    writing = Writing(source, profile.person, asked.zone, others, names.known if names else None)

    def written(selves: Selves) -> tuple[Survey, Counts, dict[str, str]]:
        """Write what is new into `staging`, which is emptied first."""
        remove(staging)
        staging.mkdir(parents=True)
        if (target / LEDGER).exists():
            shutil.copyfile(target / LEDGER, staging / PARTIAL)
        claimed, named = _seen(target / LEDGER)
        builder = Builder(selves, lambda t, m: claimed.add((t, m)), lambda t, m: (t, m) in named, pause, others)
        return *_taken(_read(source, export, asked), builder, Scribe(writing, staging)), builder.examples

    selves = Selves(asked.me)
    try:
        found, counts, examples = written(selves)
        if not selves.mine or selves.bearers():
            raise UnknownSelf(source, found, asked.me, selves.bearers())
        resolved = selves.again()
        if resolved is not None:
            # Somebody's other name came before the one asked for. That is seldom, so all is not read twice for it.
            found, counts, examples = written(Selves((), resolved))
    except BaseException:
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
    return Imported(target, found, counts.memories, counts.own, counts.context, rules, examples)


def _taken(stream: Iterator[Message | Unreadable | Remark], builder: Builder, scribe: Scribe) -> tuple[Survey, Counts]:
    """Have everything written that a stream of messages makes; return what was in it, and how much was written."""
    found = Survey()

    def aside(item: Unreadable | Remark) -> None:
        if isinstance(item, Unreadable) or not builder.named(item.thread, item.id):
            scribe.take(item)

    try:
        for item in builder.build(found.watch(stream, aside)):
            scribe.take(item)
        return found, scribe.close()
    except BaseException:
        scribe.abandon()
        raise


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
