"""A worker: takes runs from queues, one of each at a time, and keeps the calendar.

DBOS says whose turn it is: one run at a time for each person, in the order in which they were asked for, among any
number of workers. Its workflow is one step that may be done twice: the run's own journal and the person's lock see to
that. DBOS 3.4 recovers only what its own executor id left behind, so that a worker looks for others that have died:
each holds the lock of a file, named as its executor id, which falls when it does.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import socket
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urlsplit

from idiolect.errors import MachineFault, MissingPart
from idiolect.files import make_folder
from idiolect.home import Home
from idiolect.workflow.calendar.queue import QUEUES, give_up, waiting
from idiolect.workflow.calendar.schedule import keep_calendar
from idiolect.workflow.records.journal import Journal

DATABASE_URL = "IDIOLECT_DATABASE_URL"
#: Pinned: DBOS lets a run wait for ever whose version nobody has. Another number: when the workflow below changes.
_VERSION = "1"
#: How long a worker that stops waits for its runs to have written down what they did.
_PATIENCE_SECONDS = 60

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Work:
    """What a worker does: whose home, which queues, and how a run (home, person, label) is carried out.

    `carry_out` may be given a run again. It raises Stopped for one that is to go on elsewhere.
    """

    home: Home
    queues: Sequence[str]
    carry_out: Callable[[Home, str, str], None]
    tell: Tell


def serve(work: Work, stop: threading.Event, environ: Mapping[str, str], every_seconds: float = 1.0) -> None:
    """Carry out runs until `stop` is set.

    Raises MissingPart without DBOS, and MachineFault where its database does not answer.
    """
    told: set[str] = set()

    def tell_once(line: str) -> None:
        if line not in told:
            told.add(line)
            work.tell(line)

    with _executor(work.home) as executor:
        take = _launch(work, executor, environ.get(DATABASE_URL))
        work.tell(f"worker {executor} takes from: {', '.join(work.queues)}")
        taken: set[str] = set()
        while not stop.is_set():
            _take_over(work)
            keep_calendar(work.home, datetime.now().astimezone(), environ, tell_once)
            for journal in _next_of_each(waiting(work.home)):
                turn = f"{journal.label}.{journal.turn}"
                if turn not in taken:
                    take(journal.queue, turn, journal.person, journal.label)
                    taken.add(turn)
            stop.wait(every_seconds)
        _land()


def _next_of_each(journals: Iterable[Journal]) -> Iterable[Journal]:
    """Return the first run of each person. DBOS orders by a time that, in SQLite, knows whole seconds only."""
    first: dict[str, Journal] = {}
    for journal in journals:
        first.setdefault(journal.person, journal)
    return first.values()


def _launch(work: Work, executor: str, url: str | None) -> Callable[[str, str, str, str], None]:
    """Launch DBOS; return what gives it a run to carry out when its turn comes: queue, id, person, label."""
    try:
        from dbos import DBOS, DBOSPortableJSONSerializer, SetEnqueueOptions, SetWorkflowID
        from sqlalchemy.exc import SQLAlchemyError
    except ImportError as error:
        raise MissingPart("A worker needs DBOS.", "Install it: pip install 'idiolect[worker]'") from error
    make_folder(work.home.queue.parent)
    if not url:
        _check_queue(work.home.queue)
    DBOS(
        config={
            "name": "idiolect",
            "system_database_url": url or f"sqlite:///{work.home.queue}",
            "application_version": _VERSION,
            "executor_id": executor,
            # Plain JSON: a pickle in a shared database is a program that others could put there.
            "serializer": DBOSPortableJSONSerializer(),
            "log_level": "ERROR",
        }
    )

    @DBOS.workflow(name="run")
    def run(person: str, label: str) -> str:
        work.tell(f"{label} of {person}: taken")
        work.carry_out(work.home, person, label)
        outcome = give_up(work.home, person, label)
        work.tell(f"{label} of {person}: {outcome}")
        return outcome

    def take(queue: str, turn: str, person: str, label: str) -> None:
        with SetWorkflowID(turn), SetEnqueueOptions(queue_partition_key=person):
            DBOS.enqueue_workflow(queue, run, person, label)

    DBOS.listen_queues(list(work.queues))
    try:
        DBOS.launch()
        for queue in QUEUES:
            DBOS.register_queue(queue, worker_concurrency=1, partition_concurrency=1, on_conflict="always_update")
    except SQLAlchemyError as error:
        where = urlsplit(url).hostname if url else work.home.queue
        raise MachineFault(
            f"The workers' database does not answer ({where}): {type(error).__name__}.",
            f"Start it, or see to {DATABASE_URL}.",
        ) from error
    return take


def _check_queue(file: Path) -> None:
    """Raise MachineFault for a database file that is none of DBOS': it would say so in a page of its own."""
    if not file.exists():
        return
    fault = ""
    try:
        with closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True)) as database:
            state = database.execute("PRAGMA quick_check(1)").fetchone()[0]
            tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            columns = {row[1] for row in database.execute("PRAGMA table_info(workflow_status)")}
        if state != "ok":
            fault = str(state)
        elif tables and not {"workflow_uuid", "status", "queue_name"} <= columns:
            fault = "it is another program's"
    except sqlite3.Error as error:
        fault = str(error)
    if fault:
        raise MachineFault(
            f"{file} cannot be used: {fault}.", "Move it away: the queue is filled again from the runs' own journals."
        )


def _land() -> None:
    from dbos import DBOS

    DBOS.destroy(workflow_completion_timeout_sec=_PATIENCE_SECONDS)


def _take_over(work: Work) -> None:
    """Put back into their queues, first in line again, the runs of workers that have died."""
    from dbos import DBOS

    pending = DBOS.list_workflows(status="PENDING", name="run", load_input=False, load_output=False)
    for executor in {f.name for f in work.home.workers.iterdir()} | {str(w.executor_id) for w in pending}:
        path = work.home.workers / executor
        with path.open("ab") as file:
            if not _locked(file):
                continue
            for left in DBOS.list_workflows(status="PENDING", executor_id=executor, load_input=False):
                DBOS.resume_workflow(left.workflow_id, queue_name=left.queue_name)
                work.tell(f"{left.workflow_id.partition('.')[0]}: left behind by {executor}, which has died")
            path.unlink(missing_ok=True)


@contextmanager
def _executor(home: Home) -> Iterator[str]:
    """Yield an executor id of our own, whose file is locked while we live."""
    make_folder(home.workers)
    name = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"
    path = home.workers / name
    while True:
        with path.open("ab") as file:
            # Between its making and its locking, another worker may take it for a dead one's, and remove it.
            if _locked(file) and path.exists():
                yield name
                return


def _locked(file: BinaryIO) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
