"""A run as it goes on, read from its files: whoever carries it out, and however many watch."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from idiolect.config import resolve
from idiolect.errors import UserFault
from idiolect.home import Home, Profile, Run
from idiolect.training import Event, HeldOut, Note, Started, Stepped, decode
from idiolect.workflow.archive.runs import Details, details, find
from idiolect.workflow.archive.summary import StepSummary, is_ours
from idiolect.workflow.cycle import STEPS
from idiolect.workflow.records.journal import Journal, StepRecord

#: So many last lines of the log are shown.
_LINES = 200
#: A process that was begun takes so long, at most, until it holds its lock.
_SECONDS_TO_BEGIN = 60
_BEGINS = re.compile(r"^\S+Z (\w+) begins")


@dataclass(frozen=True)
class SeenStep:
    """A step of a cycle, and how far it is."""

    name: str
    state: Literal["done", "going on", "to come"]
    outcome: str = ""
    seconds: float | None = None


@dataclass(frozen=True)
class Seen:
    """What can be seen of a run at a moment. Losses are in nats a learned token, by epoch."""

    state: str
    """As `idiolect runs` has it, or `beginning`."""
    cycle: str
    steps: Sequence[SeenStep]
    losses: Sequence[tuple[float, float]]
    held_out: Sequence[tuple[float, float]]
    started: Started | None
    latest: Stepped | None
    notes: Sequence[str]
    log: Sequence[str]
    error: str

    @property
    def going_on(self) -> bool:
        return self.state in ("running", "beginning", "queued", "cancelling")


class Watch:
    """Watches one run; each look reads what is new of its events, and all of its small files."""

    def __init__(self, home: Home, person: str, label: str) -> None:
        self.home = home
        self.profile, self.run = find(home, label, person)
        self._merges: bool | None = None
        self._events = _Lines(self.run.bundle / "events.jsonl")
        self._told: list[Event] = []

    def look(self) -> Seen:
        """Return what is seen now. Raises UserFault for a run whose journal and summary are gone or damaged."""
        found = self._details()
        log = _tail(self.run.log)
        state = self._state(found.row.state)
        self._read_events()
        told = self._told
        stepped = {e.step: e for e in told if isinstance(e, Stepped)}
        held_out = {e.epoch: e.loss for e in told if isinstance(e, HeldOut)}
        last = [e for e in told if isinstance(e, Started)]
        return Seen(
            state=state,
            cycle=found.row.cycle,
            steps=_steps(found.steps, self._order(found), log, self.run, going_on=state == "running"),
            losses=[(e.epoch, e.loss) for _, e in sorted(stepped.items())],
            held_out=sorted(held_out.items()),
            started=last[-1] if last else None,
            latest=stepped[max(stepped)] if stepped else None,
            notes=[e.text for e in told if isinstance(e, Note)],
            log=log,
            error=getattr(found.written, "error", ""),
        )

    def _details(self) -> Details:
        try:
            return details(self.home, self.run.label, self.profile.person)
        except UserFault:
            # It may have ended between two looks: then its summary is there, and the journal gone.
            return details(self.home, self.run.label, self.profile.person)

    def _order(self, found: Details) -> list[str]:
        """Return the steps that this run has, in their order: merging is one only where `model/` is to be kept."""
        if self._merges is None and isinstance(found.written, Journal):
            asked = found.written
            options = resolve(self.home, self.profile.person, asked.environ, asked.flags, self.run.cycle).options
            self._merges = self.run.cycle.trains == "adapter" and options.keep_model
        return [name for name in STEPS if name != "merge" or self._merges]

    def _state(self, standing: str) -> str:
        return "beginning" if standing == "interrupted" and _begins_just_now(self.run) else standing

    def _read_events(self) -> None:
        """Read the bundle's events; once it is gone, those that the run has kept."""
        if not self._events.path.exists() and self.run.train_log.exists() and self._events.path != self.run.train_log:
            self._events, self._told = _Lines(self.run.train_log), []
        self._told += decode(self._events.new())


class _Lines:
    """The whole lines of a file that grows, or is written anew."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.read = 0

    def new(self) -> bytes:
        try:
            with self.path.open("rb") as file:
                file.seek(self.read)
                content = file.read()
        except FileNotFoundError:
            return b""
        whole = content[: content.rfind(b"\n") + 1]
        self.read += len(whole)
        return whole


def newest_run(profile: Profile) -> str | None:
    """Return the label of the newest run that can be watched."""
    return next((r.label for r in reversed(profile.runs()) if is_ours(r)), None)


def _steps(
    done: Sequence[StepSummary | StepRecord], order: list[str], log: Sequence[str], run: Run, *, going_on: bool
) -> list[SeenStep]:
    """Return the steps in their order: of a run that goes on also the one that it is at, and those to come."""
    records = {step.step: step for step in done}
    seen = [SeenStep(s.step, "done", s.outcome, s.seconds) for s in records.values()]
    if run.summary.exists():
        return seen
    begun = [match[1] for line in log if (match := _BEGINS.match(line))]
    now = begun[-1] if begun and begun[-1] not in records and going_on else None
    last = max((order.index(s.name) for s in seen if s.name in order), default=-1)
    rest = order[last + 1 :]
    return [*seen, *(SeenStep(name, "going on" if name == now else "to come") for name in rest)]


def _begins_just_now(run: Run) -> bool:
    """Return whether a process was begun that has not come to its lock: the journal is younger than the log."""
    begun = _changed(run.journal)
    return begun > _changed(run.log) and time.time() - begun < _SECONDS_TO_BEGIN


def _changed(path: Path) -> float:
    return path.stat().st_mtime if path.exists() else 0.0


def _tail(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8", errors="replace").splitlines()[-_LINES:]
    except FileNotFoundError:
        return []
