"""`run:<label>`: the model of an earlier run as a base model, merged again where only base and adapter were kept."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec

from idiolect.bases import BaseModel, checked, resolve
from idiolect.dataset import load_chat_template
from idiolect.errors import BaseModelFault
from idiolect.export import merge_model
from idiolect.files import DAMAGED, regular_bytes
from idiolect.home import Home, Profile, Run

#: Before the label of a run whose model is the base of another.
EARLIER_RUN = "run:"


class _Trained(msgspec.Struct, frozen=True):
    """What matters here of a run's summary."""

    base_model: str


def find_base(home: Home, profile: Profile, name: str) -> BaseModel:
    """Find the base model: a run's own model, where `run:<label>` is asked for, or what its adapter stands on.

    Raises BaseModelFault.
    """
    if not name.startswith(EARLIER_RUN):
        return resolve(name, home.cache)
    run = _run(profile, name)
    if run.model.is_dir():
        return BaseModel(name, checked(run.model))
    return find_base(home, profile, _base_of(run))


def merged(home: Home, profile: Profile, name: str, say: Callable[[str], None]) -> Path:
    """Return the folder of a base model with its weights; those of an adapter's run are merged into its `model/`.

    Clean-up removes such a model when the run that it was merged for has ended. Raises BaseModelFault and NoRoom.
    """
    found = find_base(home, profile, name)
    if not name.startswith(EARLIER_RUN):
        return found.folder
    run = _run(profile, name)
    if not run.model.is_dir():
        base = _base_of(run)
        folder = merged(home, profile, base, say)
        say(f"Merging the adapter of {run.label} with {base}, to go on from both.")
        template = load_chat_template(folder, home.schemas, base).source
        merge_model(folder, run.weights, run.model, chat_template=template)
    return checked(run.model)


def _run(profile: Profile, name: str) -> Run:
    """Return the run that `run:<label>` names. Raises BaseModelFault if there is none that left weights."""
    left = {run.label: run for run in profile.runs() if run.model.is_dir() or run.weights.is_dir()}
    label = name.removeprefix(EARLIER_RUN)
    if label not in left:
        raise BaseModelFault(
            f"{profile.person} has no run {label!r} that kept a model to go on from.",
            f"Those that did: {', '.join(left) or 'none'}.",
        )
    return left[label]


def _base_of(run: Run) -> str:
    """Return the base model that a run's adapter stands on, by its own record. Raises BaseModelFault without one."""
    for path in (run.summary, run.usable):
        try:
            base = msgspec.json.decode(regular_bytes(path), type=_Trained).base_model
        except DAMAGED:
            continue
        # An adapter stands on what was there before it; a record that says otherwise would never come to an end.
        if not base.startswith(EARLIER_RUN) or base.removeprefix(EARLIER_RUN) < run.label:
            return base
    raise BaseModelFault(
        f"The run {run.label} kept an adapter, but on which base model it stands is not known: {run.summary} does not "
        "say.",
        "Go on from another run: idiolect runs",
    )
