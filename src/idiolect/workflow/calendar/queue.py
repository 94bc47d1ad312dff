"""The queue of runs: a journal that says on which queue its run waits. Workers find it there; so does `idiolect runs`.

Nothing else holds what was asked for. The workers' database (see worker.py) holds whose turn it is, and is filled from
the journals again if it is lost.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

import msgspec

from idiolect.errors import UserFault
from idiolect.files import make_folder, remove, write_json
from idiolect.home import CYCLES, Cycle, Home
from idiolect.workflow.archive.runs import run_of, standing, state, unfinished
from idiolect.workflow.cycle import new_journal
from idiolect.workflow.planning.plan import Asked, plan
from idiolect.workflow.records.audit import audit
from idiolect.workflow.records.journal import Journal, read_journal

#: What a worker's machine is good for. The names mean no more than that.
QUEUES = ("cpu", "gpu")


def put(home: Home, asked: Asked, cycle: Cycle, queue: str, label: str | None = None) -> str:
    """Leave a run to the workers of a queue, and return its label. What can be refused early is refused here."""
    decided = plan(home, asked, cycle, label)
    write_json(decided.run.journal, new_journal(decided, asked, queue))
    make_folder(decided.run.folder)
    audit(decided.data.profile, "run_queued", {"run": decided.run.label, "queue": queue})
    return decided.run.label


def put_again(home: Home, person: str, label: str | None, queue: str) -> str:
    """Leave a run that did not come to its end to the workers, and return its label."""
    run = unfinished(home, person, label)
    now = standing(home.profile(person), run)
    if now in ("running", "queued", "cancelling"):
        raise UserFault(f"Run {run.label} is {now} already.", f"See it: idiolect runs show {run.label}")
    journal = read_journal(run.journal)
    write_json(run.journal, msgspec.structs.replace(journal, queue=queue, turn=journal.turn + 1))
    remove(run.cancelled)
    remove(run.summary)
    audit(home.profile(person), "run_queued", {"run": run.label, "queue": queue})
    return run.label


def waiting(home: Home) -> Iterator[Journal]:
    """Yield the journals of all runs that workers are to carry out, in the order in which they were asked for."""
    found = []
    for person in home.people():
        for work in home.profile(person).works():
            try:
                journal = read_journal(work / "journal.json")
            except UserFault:
                continue
            run = home.profile(person).run(CYCLES[journal.cycle], journal.label)
            if journal.queue and run.folder.exists() and state(run) == "unfinished":
                found.append(journal)
    yield from sorted(found, key=lambda journal: journal.began)


def give_up(home: Home, person: str, label: str) -> str:
    """Take a run that has ended off the queue, however it ended; return its state."""
    run = run_of(home, person, label)
    if run.journal.exists():
        # What is damaged waits for nobody, as it is.
        with suppress(UserFault):
            write_json(run.journal, msgspec.structs.replace(read_journal(run.journal), queue=""))
    return standing(home.profile(person), run)
