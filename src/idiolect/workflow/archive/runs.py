"""The runs of a person, as their folders tell."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec

from idiolect.errors import UnknownPerson, UserFault
from idiolect.files import regular_bytes
from idiolect.home import Home, Profile, Run
from idiolect.machines import billed
from idiolect.workflow.archive.summary import OfMetaHuman, StepSummary, Summary, read_summary, summary_of
from idiolect.workflow.records.journal import Journal, StepRecord, read_journal
from idiolect.workflow.records.lock import holder

#: How a run stands that this program has no record of: the folder is of the other program that trains here.
OF_METAHUMAN = "of MetaHuman OS"
#: Its summary is damaged.
UNREADABLE = "unreadable"


@dataclass(frozen=True)
class Finished:
    """A run that has ended, and its summary; its model file has the name that it had then."""

    run: Run
    summary: Summary


def known(home: Home, person: str) -> Profile:
    """Return a person's profile. Raises UnknownPerson."""
    profile = home.profile(person)
    if not home.knows(person):
        raise UnknownPerson(
            f"There is no profile of {person!r} in {home.root / 'profiles'}.",
            f"Known: {', '.join(home.people()) or 'nobody yet'}.",
        )
    return profile


def newest(home: Home, person: str) -> Finished:
    """Return the newest run whose model file is there. Raises UnknownPerson, and UserFault where there is none."""
    profile = known(home, person)
    for run in reversed(profile.runs()):
        summary = summary_of(run)
        if summary and summary.state == "succeeded":
            as_written = dataclasses.replace(run, quantization=summary.quantization)
            if as_written.gguf.exists():
                return Finished(as_written, summary)
    raise UserFault(
        f"{person} has no model yet: there is no finished run in {profile.out}.",
        f"Train one: idiolect full-cycle --username {person}",
    )


def run_of(home: Home, person: str, label: str) -> Run:
    """Return a person's run of that label, of whichever cycle. Raises UserFault where there is none."""
    return find(home, label, person)[1]


def find(home: Home, label: str, person: str | None = None) -> tuple[Profile, Run]:
    """Return a run, and whose it is; a label says that itself. Raises UserFault where there is none, or are several."""
    profiles = [home.profile(name) for name in ([person] if person else home.people())]
    found = [(profile, run) for profile in profiles for run in profile.runs() if run.label == label]
    if not found:
        raise UserFault(f"{person or 'Nobody'} has {'no' if person else 'a'} run {label}.", "See them: idiolect runs")
    if len(found) > 1:
        people = ", ".join(profile.person for profile, _ in found)
        raise UserFault(f"{label} is a run of each of {people}.", "Say whose with --username.")
    return found[0]


def find_run(home: Home, label: str, person: str | None = None) -> Finished:
    """Return the run of that label that has left a model file, whoever's.

    Raises UserFault where there is none, for a damaged summary, and OfMetaHuman.
    """
    people = [person] if person else home.people()
    for run in (run for name in people for run in home.profile(name).runs() if run.label == label):
        # Of a run that was interrupted there is no summary, but its model file may be whole.
        if written := next((path for path in (run.summary, run.usable) if path.exists()), None):
            summary = read_summary(written)
            as_written = dataclasses.replace(run, quantization=summary.quantization)
            if as_written.gguf.exists():
                return Finished(as_written, summary)
    raise UserFault(f"There is no run {label!r} that has left a model file.", "See them all: idiolect runs")


def state(run: Run) -> str:
    """Return succeeded, failed, cancelled, unfinished (waiting, going on, or interrupted), or what is not known better.

    A folder with neither a summary, a journal nor a log of ours is of MetaHuman OS.
    """
    if run.summary.exists():
        try:
            return read_summary(run.summary).state
        except OfMetaHuman:
            return OF_METAHUMAN
        except UserFault:
            return UNREADABLE
    if run.cancelled.exists():
        return "cancelled"
    ours = any(path.exists() for path in (run.journal, run.log, run.usable)) or not run.folder.exists()
    return "unfinished" if ours else OF_METAHUMAN


def standing(profile: Profile, run: Run) -> str:
    """Return a run's state; of an unfinished one whether it is running, queued or interrupted.

    One that was cancelled is `cancelling` for as long as its process has not ended.
    """
    written = state(run)
    if written not in ("unfinished", "cancelled"):
        return written
    running = holder(profile)
    goes_on = running is not None and running.label == run.label
    if written == "cancelled":
        return "cancelling" if goes_on else written
    if goes_on:
        return "running"
    journal = _journal(run)
    return "queued" if journal and journal.queue and not journal.steps else "interrupted"


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A run in a list; None is what it has not come to yet."""

    person: str
    label: str
    cycle: str
    state: str
    step: str | None = None
    """The last that has ended."""
    started: datetime | None = None
    seconds: float | None = None
    """What its steps took."""
    loss: float | None = None
    """Held out, after training, in nats a token."""
    bytes: int | None = None
    """Of the model file."""
    dollars: float | None = None
    """What rented machines cost: those of an unfinished run that were given back."""


def overview(home: Home, person: str | None = None) -> list[Row]:
    """Return a row for each run, of one person or of all."""
    profiles = [home.profile(name) for name in ([person] if person else home.people())]
    return [_row(profile, run) for profile in profiles for run in profile.runs()]


class Foreign(msgspec.Struct, frozen=True):
    """A run that MetaHuman OS has made: where it is, and what it says of itself, if anything."""

    folder: str
    summary: Any


class Details(msgspec.Struct, frozen=True):
    """A run with its steps, and its summary or its journal; of a run of MetaHuman OS, what there is."""

    row: Row
    steps: Sequence[StepSummary | StepRecord]
    written: Any


def details(home: Home, label: str, person: str | None = None) -> Details:
    """Return all that is known of a run. Raises UserFault where nothing can be read."""
    profile, run = find(home, label, person)
    row = _row(profile, run)
    if row.state == OF_METAHUMAN:
        said = msgspec.json.decode(regular_bytes(run.summary)) if run.summary.exists() else None
        return Details(row, (), Foreign(str(run.folder), said))
    if run.summary.exists():
        summary = read_summary(run.summary)
        return Details(row, summary.steps, summary)
    journal = read_journal(run.journal)
    return Details(row, journal.steps, journal)


def _row(profile: Profile, run: Run) -> Row:
    row = Row(
        person=profile.person,
        label=run.label,
        cycle=run.cycle.name,
        state=standing(profile, run),
        dollars=billed(run.bills),
    )
    if row.state == OF_METAHUMAN:
        size = run.gguf.stat().st_size if run.gguf.exists() else None
        return msgspec.structs.replace(row, started=_time_of(run.label), bytes=size)
    if summary := summary_of(run):
        gguf = dataclasses.replace(run, quantization=summary.quantization).gguf
        return msgspec.structs.replace(
            row,
            step=summary.steps[-1].step if summary.steps else None,
            started=summary.began,
            seconds=round(sum(s.seconds for s in summary.steps), 2),
            loss=summary.training.loss_after if summary.training else None,
            bytes=gguf.stat().st_size if gguf.exists() else None,
            dollars=summary.cost_dollars,
        )
    if not (journal := _journal(run)):
        return row
    return msgspec.structs.replace(
        row,
        step=journal.steps[-1].step if journal.steps else None,
        started=journal.began,
        seconds=round(sum(s.seconds for s in journal.steps), 2),
    )


def _time_of(label: str) -> datetime | None:
    try:
        return datetime.strptime(label[:17], "%Y-%m-%d-%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return None


def _journal(run: Run) -> Journal | None:
    """Return a run's journal; a list does not stop at one that is damaged."""
    try:
        return read_journal(run.journal)
    except UserFault:
        return None


def unfinished(home: Home, person: str, label: str | None) -> Run:
    """Return the run of that label, or the newest not cancelled, that did not succeed.

    Raises UserFault where there is none.
    """
    runs = [r for r in home.profile(person).runs() if r.journal.exists() and state(r) != "succeeded"]
    chosen = [r for r in runs if r.label == label or (label is None and state(r) != "cancelled")]
    if not chosen:
        raise UserFault(
            f"{person} has no run {label or 'that could go on'}: {len(runs)} did not come to their end.",
            f"See them: idiolect runs --username {person}",
        )
    return chosen[-1]
