"""The runs of a person, as their folders tell."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import msgspec

from idiolect.errors import UnknownPerson, UserFault
from idiolect.home import Home, Run
from idiolect.workflow.summary import Summary, read_summary


@dataclass(frozen=True)
class Finished:
    """A run that has ended well, and its summary; its model file has the name that it had then."""

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
    for run in reversed(profile.runs()):
        if state(run) == "succeeded":
            summary = read_summary(run.summary)
            as_written = dataclasses.replace(run, quantization=summary.quantization)
            if as_written.gguf.exists():
                return Finished(as_written, summary)
    raise UserFault(
        f"{person} has no model yet: there is no finished run in {profile.out}.",
        f"Train one: idiolect full-cycle --username {person}",
    )


def run_of(home: Home, person: str, label: str) -> Run:
    """Return a person's run of that label, of whichever cycle. Raises UserFault where there is none."""
    for run in home.profile(person).runs():
        if run.label == label:
            return run
    raise UserFault(f"{person} has no run {label}.", f"See them: idiolect runs --username {person}")


def state(run: Run) -> str:
    """Return succeeded, failed, or unfinished (interrupted, or still going on)."""
    return read_summary(run.summary).state if run.summary.exists() else "unfinished"


def overview(home: Home, person: str | None = None) -> list[dict[str, Any]]:
    """Return a row for each run: whose, its label, cycle, state, last step, seconds, held-out loss and size."""
    people = [person] if person else home.people()
    return [_row(name, run) for name in people for run in home.profile(name).runs()]


def details(home: Home, person: str, label: str) -> Any:
    """Return a run's summary, or its journal as far as it came. Raises UserFault where there is neither."""
    run = run_of(home, person, label)
    shown = run.summary if run.summary.exists() else run.journal
    if not shown.exists():
        raise UserFault(f"{person} has no run {label}.", f"See them: idiolect runs --username {person}")
    return msgspec.json.decode(shown.read_bytes())


def _row(person: str, run: Run) -> dict[str, Any]:
    row: dict[str, Any] = {"person": person, "label": run.label, "cycle": run.cycle.name, "state": state(run)}
    row |= {"step": "", "seconds": "", "loss": "", "mb": ""}
    if run.summary.exists():
        summary = read_summary(run.summary)
        row["step"] = summary.steps[-1].step if summary.steps else ""
        row["seconds"] = round(sum(s.seconds for s in summary.steps))
        row["loss"] = round(summary.training.loss_after, 3) if summary.training else ""
        gguf = dataclasses.replace(run, quantization=summary.quantization).gguf
        row["mb"] = round(gguf.stat().st_size / 1e6) if gguf.exists() else ""
    return row


def unfinished(home: Home, person: str, label: str | None) -> Run:
    """Return the run of that label, or the newest, that did not succeed. Raises UserFault where there is none."""
    runs = [r for r in home.profile(person).runs() if r.journal.exists() and state(r) != "succeeded"]
    chosen = [r for r in runs if label in (None, r.label)]
    if not chosen:
        raise UserFault(
            f"{person} has no run {label or 'that could go on'}: {len(runs)} did not come to their end.",
            f"See them: idiolect runs --username {person}",
        )
    return chosen[-1]
