"""The runs of a person, as their folders tell."""

from __future__ import annotations

from dataclasses import dataclass

from idiolect.errors import UnknownPerson, UserFault
from idiolect.home import FULL, Home, Run
from idiolect.workflow.summary import Summary, read_summary


@dataclass(frozen=True)
class Finished:
    """A run that has ended well, and its summary."""

    run: Run
    summary: Summary


def newest(home: Home, person: str) -> Finished:
    """Return the newest run whose model file is there. Raises UnknownPerson, and UserFault where there is none."""
    profile = home.profile(person)
    if person not in home.people():
        raise UnknownPerson(
            f"There is no profile of {person!r} in {home.root / 'profiles'}.",
            f"Known: {', '.join(home.people()) or 'nobody yet'}.",
        )
    for run in reversed(profile.runs(FULL)):
        if run.gguf.exists() and run.summary.exists():
            return Finished(run, read_summary(run.summary))
    raise UserFault(
        f"{person} has no model yet: there is no finished run in {profile.out}.",
        f"Train one: idiolect full-cycle --username {person}",
    )
