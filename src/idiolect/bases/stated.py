"""What a base model says of itself: config.json and the headers of its weight files, with no weight loaded.

Of a model on the Hugging Face Hub that is not here, config.json alone is fetched.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

from idiolect.bases import embedded, hub
from idiolect.bases.malformed import config_faults
from idiolect.errors import BaseModelFault


@dataclass(frozen=True)
class Stated:
    """`config` is the content of config.json; `weights` how many the files hold, None if they are not here."""

    name: str
    config: Mapping[str, Any]
    weights: int | None
    folder: Path | None


def stated(name: str, cache: Path) -> Stated:
    """Return what the model called `name` says of itself; see `bases.resolve` for the names and errors."""
    if name == embedded.NAME and not (cache / embedded.FOLDER).is_dir():
        return Stated(name, embedded.configuration(), None, None)
    local = cache / embedded.FOLDER if name == embedded.NAME else Path(name).expanduser()
    if name and local.is_dir():
        return read_stated(name, local)
    if hub.is_id(name):
        return read_stated(name, hub.downloaded(name, ("config.json",)))
    raise no_such_model(name, local)


def read_stated(name: str, folder: Path) -> Stated:
    """Read a model's folder. Raises BaseModelFault if it has no config.json that can be read."""
    path = folder / "config.json"
    try:
        config = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise BaseModelFault(f"{path} cannot be read: {error}", "Fetch the base model again.") from error
    if not isinstance(config, dict):
        raise BaseModelFault(f"{path} is not a JSON object.", "Fetch the base model again.")
    if faults := config_faults(config):
        raise BaseModelFault(f"{path}: {'; '.join(faults)}.", "Fetch the base model again.")
    return Stated(name, config, _weights(folder), folder)


def no_such_model(name: str, local: Path) -> BaseModelFault:
    return BaseModelFault(
        f"There is no base model {name!r}: it is not {embedded.NAME!r}, not a folder ({local.absolute()}), "
        "and not a Hugging Face id of the form org/name.",
        "Set base_model to one of those three.",
    )


def _weights(folder: Path) -> int | None:
    """Count the weights by the headers of all safetensors files; None if there are none, or not all."""
    files = sorted(folder.glob("*.safetensors"))
    index = folder / "model.safetensors.index.json"
    try:
        if index.is_file() and set(json.loads(index.read_bytes())["weight_map"].values()) - {f.name for f in files}:
            return None
        return sum(_weights_in(file) for file in files) or None
    except (OSError, ValueError, KeyError, AttributeError, TypeError, RecursionError, MemoryError, OverflowError):
        return None


def _weights_in(file: Path) -> int:
    with file.open("rb") as opened:
        header = json.loads(opened.read(int.from_bytes(opened.read(8), "little")))
    return sum(prod(tensor["shape"]) for name, tensor in header.items() if name != "__metadata__")
