"""A bundle is opened, its base model checked, and trained: by this process alone, or as one of several."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from idiolect.bases import resolve
from idiolect.errors import BaseModelFault
from idiolect.files import sha256
from idiolect.home import Home, default_root
from idiolect.training.bundle import Job, open_bundle
from idiolect.training.events import append


def train_bundle(bundle: Path, base: str | None) -> None:
    """Train a bundle, which goes on if it was interrupted; progress goes to its events.jsonl.

    Whoever starts several processes has told each its rank in the environment, as torchrun does.
    Raises DataFault for a folder that is no bundle, BaseModelFault, and what `train` raises.
    """
    job = open_bundle(bundle)
    folder = base_of(job, base)
    from idiolect.training.train import train

    train(job, folder, partial(append, job.events))


def base_of(job: Job, given: str | None) -> Path:
    """Return the folder of the base model. Raises BaseModelFault if it cannot be the one the bundle was made for."""
    name = given or job.base
    if not name:
        raise BaseModelFault(
            "The bundle does not name its base model: it is no public one.",
            "Say where it is: --base FOLDER.",
        )
    folder = resolve(name, Home(default_root()).cache).folder
    if sha256(folder / "tokenizer.json") != sha256(job.tokenizer):
        raise BaseModelFault(
            f"{folder} has another tokenizer than the one that the bundle was made for.",
            "Give the base model that the data set was written for, or make the bundle again.",
        )
    return folder
