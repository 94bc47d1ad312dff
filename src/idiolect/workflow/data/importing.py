"""An import, from what was typed to memories: which source, which person, and a profile for them if there is none."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from idiolect.config import ImportOptions
from idiolect.errors import ExportFault, OptionFault
from idiolect.home import Home, Profile
from idiolect.memories.importers import (
    SOURCES,
    Asked,
    Export,
    Imported,
    Pseudonyms,
    Selves,
    Survey,
    UnknownSelf,
    bring_in,
    settle_import,
    survey,
)
from idiolect.memories.importers.html_forms import FORMS, holds_html, html_of
from idiolect.workflow.records.lock import holder, only_run

_PERSON = re.compile(r"[^/\\\0.][^/\\\0]{0,200}")


def import_options(flags: Mapping[str, Any]) -> ImportOptions:
    """Check what was typed. Raises OptionFault with every fault."""
    try:
        return ImportOptions.model_validate({name: value for name, value in flags.items() if value is not None})
    except ValidationError as error:
        faults = "; ".join(f"{e['loc'][0]}: {e['msg'].removeprefix('Value error, ')}" for e in error.errors())
        raise OptionFault(faults, "`idiolect import --help` says what can be typed.") from error


def detect(path: Path, options: ImportOptions) -> Iterator[tuple[str, Survey | ExportFault]]:
    """Yield each source that an export is one of, and what is in it or why it cannot be said. Writes nothing."""
    with Export(path) as export:
        for name in sources_of(export):
            try:
                yield name, survey(name, export, _asked(options))
            except ExportFault as fault:
                yield name, fault


def nothing_known(path: Path) -> ExportFault:
    """Return what is to be said of an export that no source knows."""
    with Export(path) as export:
        known = f"Known: {', '.join(SOURCES)}."
        return fault_of_html(path, export) or ExportFault(f"{path} is nothing that can be imported.", known)


def sources_of(export: Export) -> list[str]:
    """Return the names of the sources that an export is one of."""
    return [name for name, source in SOURCES.items() if source.found(export)]


def import_memories(  # noqa: PLR0913, PLR0917 - what an import is asked for by
    home: Home,
    person: str,
    source: str,
    path: Path,
    options: ImportOptions,
    ask: Callable[[Survey], str] | None = None,
) -> Imported:
    """Import an export into a person's profile. `ask` is shown who wrote in it, and returns who the person is.

    Raises OptionFault and ExportFault; then nothing has been written.
    """
    if not _PERSON.fullmatch(person):
        raise OptionFault(f"{person!r} cannot be the name of a folder.", "Take letters, digits and hyphens.")
    _check_source(source)
    profile = home.profile(person)
    with Export(path) as export:
        if not SOURCES[source].found(export):
            raise _not_one(path, source, export)
        with only_run(profile, f"import {source}"):
            try:
                return _bring_in(source, export, home, person, options)
            except UnknownSelf as unknown:
                if ask is None or not unknown.survey.said:
                    raise
                options = options.model_copy(update={"me": (ask(unknown.survey),)})
                return _bring_in(source, export, home, person, options)


def _bring_in(source: str, export: Export, home: Home, person: str, options: ImportOptions) -> Imported:
    profile = home.profile(person)
    asked = _asked(options)
    names = None
    if options.others == "mask":
        # A name may be spoken long before its bearer writes: all have to be known first.
        people = [who for who, _ in survey(source, export, asked).people()]
        is_me = Selves(options.me)
        names = Pseudonyms(profile.pseudonyms, (*options.me, *(who.name for who in people if is_me(who))))
        names.learn(who.name for who in people if not is_me(who))
    pause = options.pause_hours * 3600
    return bring_in(source, export, profile, asked, pause=pause, others=options.others, names=names)


def _asked(options: ImportOptions) -> Asked:
    columns = tuple(c.partition("=")[::2] for c in options.column)
    return Asked(options.me, options.zone(), options.day_first, columns)


def _check_source(source: str) -> None:
    if source not in SOURCES:
        near = difflib.get_close_matches(source, SOURCES, n=1)
        hint = f"Did you mean {near[0]!r}? " if near else ""
        raise OptionFault(f"There is no source called {source!r}.", f"{hint}Known: {', '.join(SOURCES)}.")


def _not_one(path: Path, source: str, export: Export) -> ExportFault:
    found = sources_of(export)
    if found:
        remedy = f"It looks like: {', '.join(found)}."
    elif html := fault_of_html(path, export, source):
        return html
    else:
        remedy = "docs/import.md says what each source's export is called."
    return ExportFault(f"{path} is not an export of {SOURCES[source].title}.", remedy)


def fault_of_html(path: Path, export: Export, source: str | None = None) -> ExportFault | None:
    """Return what is to be said of an export that is HTML, if it is; `source` is what it was taken for."""
    known = html_of(export)
    if known is None and (source not in FORMS or not holds_html(export)):
        return None
    name = known or source or ""
    return ExportFault(f"{path} is {SOURCES[name].title} as HTML, which is for looking at.", FORMS[name].instead)


def coming_in(profile: Profile, source: str) -> int:
    """Return how many memories an import that goes on has written so far, and not yet moved to their place."""
    written = (name for _, _, files in os.walk(profile.importing(source)) for name in files)
    return sum(name.endswith(".json") for name in written)


@dataclass(frozen=True)
class CutOff:
    """An import that did not come to its end, of which nothing has come in; or all, if it was `whole` by then."""

    person: str
    source: str
    whole: bool


def settle(home: Home) -> list[CutOff]:
    """Bring to its end, or remove, what imports have left that were cut off; return of which."""
    found = []
    for profile in map(home.profile, home.people()):
        if not _left(profile) or holder(profile):
            continue
        with only_run(profile, "what an import left"):
            found += [CutOff(profile.person, name, settle_import(profile, name)) for name in _left(profile)]
    return found


def _left(profile: Profile) -> list[str]:
    return [name for name in SOURCES if profile.importing(name).exists()]
