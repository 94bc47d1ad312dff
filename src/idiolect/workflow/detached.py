"""A run in a process of its own, which outlives the one that began it: nobody has to stay for it."""

from __future__ import annotations

import threading

from idiolect.errors import UserFault
from idiolect.files import make_folder, remove, write_json
from idiolect.home import Cycle, Home, Profile
from idiolect.workflow.alone import begin
from idiolect.workflow.archive.runs import unfinished
from idiolect.workflow.cycle import new_journal
from idiolect.workflow.planning.plan import Asked, plan
from idiolect.workflow.records.lock import holder


def start(home: Home, asked: Asked, cycle: Cycle) -> str:
    """Begin a run, and return its label. What can be refused early is refused here, and so is a second run."""
    decided = plan(home, asked, cycle)
    _refuse_second(decided.data.profile)
    write_json(decided.run.journal, new_journal(decided, asked))
    make_folder(decided.run.folder)
    _begin(home, asked.person, decided.run.label)
    return decided.run.label


def go_on(home: Home, person: str, label: str) -> None:
    """Go on with a run that did not come to its end. Raises UserFault where there is none, or another goes on."""
    run = unfinished(home, person, label)
    _refuse_second(home.profile(person))
    remove(run.cancelled)
    remove(run.summary)
    # Younger than its log: it has been begun, and has not said anything yet.
    run.journal.touch()
    _begin(home, person, label)


def _begin(home: Home, person: str, label: str) -> None:
    """Begin, and wait beside all else: a process that has ended is nobody's until it was waited for."""
    threading.Thread(target=begin(home, person, label).wait, daemon=True).start()


def _refuse_second(profile: Profile) -> None:
    if going_on := holder(profile):
        raise UserFault(f"A run of {profile.person} is going on: {going_on}.", "Wait until it has ended, or cancel it.")
