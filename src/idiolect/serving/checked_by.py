"""Which llama.cpp a run's model was compared with training by; another one is compared before the model is talked to.

What is kept beside the model file are digests of the tokens that our own conversations are asked with: nothing that
anybody said.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import msgspec

from idiolect.errors import DataFault
from idiolect.files import DAMAGED, write_json
from idiolect.serving.in_process import Model, engine
from idiolect.serving.parity import by_llama_cpp

NAME = "checked-by.json"


class CheckedBy(msgspec.Struct, frozen=True):
    """The versions of llama.cpp that ask alike, and a digest of each prompt's tokens by what it has in it."""

    engines: tuple[str, ...]
    prompts: dict[str, str]


def note_checked(model: Model) -> None:
    """Write down, beside a model file that was compared with training, how it is asked."""
    write_json(model.gguf.parent / NAME, CheckedBy((engine(),), _digests(model)))


def check_again(model: Model) -> None:
    """Compare how a loaded model is asked with how it was when it was compared with training.

    Nothing is done where this llama.cpp did so, or where nothing was kept (a run of an older version). Raises DataFault
    where this one asks otherwise.
    """
    path = model.gguf.parent / NAME
    try:
        kept = msgspec.json.decode(path.read_bytes(), type=CheckedBy)
    except (OSError, *DAMAGED):
        return
    if engine() in kept.engines:
        return
    now = _digests(model)
    parted = [name for name, digest in kept.prompts.items() if now.get(name) != digest]
    if parted:
        raise DataFault(
            f"{engine()} asks {model.gguf} otherwise than it was trained, by {len(parted)} of {len(kept.prompts)} "
            f"conversations (first: {parted[0]}); it was compared with {', '.join(kept.engines)}.",
            f"Install that one again: pip install '{kept.engines[-1].replace(' ', '==')}'",
        )
    _remember(path, CheckedBy((*kept.engines, engine()), kept.prompts))


def _remember(path: Path, checked: CheckedBy) -> None:
    try:
        write_json(path, checked)
    except OSError:  # a folder that may only be read: it is compared again next time
        return


def _digests(model: Model) -> dict[str, str]:
    asked = by_llama_cpp(model)
    return {name: hashlib.sha256(repr(shown.tokens).encode()).hexdigest() for name, shown in asked.items()}
