"""Base models from the Hugging Face Hub, kept in its own cache, where other programs find them too."""

from __future__ import annotations

import errno
import re
from collections.abc import Sequence
from pathlib import Path

from idiolect.errors import BaseModelFault, MissingPart, NoRoom

# What training and export read, and no second copy of the weights: no *.bin, no original/, no consolidated*.
FILES = (
    "config.json",
    "generation_config.json",
    "tokenizer.json",
    "tokenizer.model",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "chat_template.jinja",
    "chat_template.json",
    "model.safetensors.index.json",
    "model*.safetensors",
)

#: What says how a model is asked: no weights.
WITHOUT_WEIGHTS = tuple(file for file in FILES if "safetensors" not in file)


def is_id(name: str) -> bool:
    """Whether `name` has the form org/name that the Hub gives its models."""
    return re.fullmatch(r"[A-Za-z0-9][\w.-]*/[\w.-]+", name, re.ASCII) is not None


def downloaded(name: str, files: Sequence[str] = FILES) -> Path:
    """Return the local snapshot of a Hub model, downloading which of `files` is not in the cache yet.

    Raises BaseModelFault when there is no such model, no right to it, or no network and no copy, and NoRoom.
    """
    try:
        import huggingface_hub
        from huggingface_hub import errors
    except ModuleNotFoundError as missing:
        raise MissingPart(
            f"The base model {name} must be downloaded, and Python has no package {missing.name}.",
            "Install the part that trains: pip install 'idiolect[train]'",
        ) from missing
    # The root of all errors of whichever HTTP client this huggingface_hub is built on.
    client_error = errors.HTTPError  # type: ignore[attr-defined]
    try:
        return Path(huggingface_hub.snapshot_download(name, allow_patterns=list(files)))
    except errors.GatedRepoError as refused:
        raise BaseModelFault(
            f"The base model {name} is gated: its owner gives it to accounts that have agreed to the terms.",
            f"Agree at https://huggingface.co/{name}, then log in here: hf auth login",
        ) from refused
    except errors.RepositoryNotFoundError as absent:
        raise BaseModelFault(
            f"There is no folder {name}, and the Hugging Face Hub shows no model of that name.",
            "Check the spelling; if the model is private, log in first: hf auth login",
        ) from absent
    except errors.HFValidationError as malformed:
        raise BaseModelFault(
            f"{name} is neither a folder nor a name that a Hugging Face model can have: {malformed}",
            "Set base_model to embedded, a folder, or a Hugging Face id of the form org/name.",
        ) from malformed
    except (errors.LocalEntryNotFoundError, errors.XetDownloadError, client_error) as unreachable:
        raise BaseModelFault(
            f"The base model {name} is not whole in the local cache, and Hugging Face is out of reach.",
            "Connect to the network and try again, or set base_model to embedded or to a local folder.",
        ) from unreachable
    except OSError as full:
        if full.errno != errno.ENOSPC:
            raise
        raise NoRoom(
            f"The disk became full while the base model {name} was downloaded.",
            "Free some space and try again: what has arrived is kept.",
        ) from full
