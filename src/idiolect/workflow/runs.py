"""The runs of a person, as their folders tell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec

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
            summary = read_summary(run.summary)
            if summary.state == "succeeded":
                return Finished(run, summary)
    raise UserFault(
        f"{person} has no model yet: there is no finished run in {profile.out}.",
        f"Train one: idiolect full-cycle --username {person}",
    )


def state(run: Run) -> str:
    """Return succeeded, failed, or unfinished (interrupted, or still going on)."""
    return read_summary(run.summary).state if run.summary.exists() else "unfinished"


def overview(home: Home, person: str | None = None) -> list[dict[str, Any]]:
    """Return a row for each run: whose, its label, state, last step, seconds, held-out loss and size."""
    people = [person] if person else home.people()
    return [_row(name, run) for name in people for run in home.profile(name).runs(FULL)]


def details(home: Home, person: str, label: str) -> Any:
    """Return a run's summary, or its journal as far as it came. Raises UserFault where there is neither."""
    run = home.profile(person).run(FULL, label)
    shown = run.summary if run.summary.exists() else run.journal
    if not shown.exists():
        raise UserFault(f"{person} has no run {label}.", f"See them: idiolect runs --username {person}")
    return msgspec.json.decode(shown.read_bytes())


def _row(person: str, run: Run) -> dict[str, Any]:
    row: dict[str, Any] = {"person": person, "label": run.label, "state": state(run), "step": "", "seconds": ""}
    row |= {"loss": "", "mb": round(run.gguf.stat().st_size / 1e6) if run.gguf.exists() else ""}
    if run.summary.exists():
        summary = read_summary(run.summary)
        row["step"] = summary.steps[-1].step if summary.steps else ""
        row["seconds"] = round(sum(s.seconds for s in summary.steps))
        row["loss"] = round(summary.training.loss_after, 3) if summary.training else ""
    return row


def unfinished(home: Home, person: str, label: str | None) -> Run:
    """Return the run of that label, or the newest, that did not succeed. Raises UserFault where there is none."""
    runs = [r for r in home.profile(person).runs(FULL) if r.journal.exists() and state(r) != "succeeded"]
    chosen = [r for r in runs if label in (None, r.label)]
    if not chosen:
        raise UserFault(
            f"{person} has no run {label or 'that could go on'}: {len(runs)} did not come to their end.",
            f"See them: idiolect runs --username {person}",
        )
    return chosen[-1]
