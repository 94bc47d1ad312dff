"""Does a folder hold a whole Transformers model? By its files; the export judges what is in the weights."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from idiolect.bases.malformed import config_faults
from idiolect.errors import BaseModelFault
from idiolect.files import write_text

CHAT_TEMPLATE = "chat_template.jinja"  # goes before any in the other files
TOKENIZER_FILES = (
    "tokenizer.json",
    "tokenizer.model",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "generation_config.json",
)


def checked(folder: Path) -> Path:
    """Return `folder`, or raise one BaseModelFault that lists everything missing from it."""
    faults = [*_config_faults(folder), *_adapter_faults(folder), *_tokenizer_faults(folder), *_weight_faults(folder)]
    if faults:
        raise BaseModelFault(
            f"The base model in {folder} is not complete: {'; '.join(faults)}.",
            "Fetch it again, or name a folder that has config, tokenizer and safetensors.",
        )
    return folder


def context_length(folder: Path) -> int | None:
    """Return how many tokens a model has positions for, as its config.json says; None if it says nothing."""
    config = _json_object(folder / "config.json")
    inner = config.get("text_config", config) if isinstance(config, dict) else {}
    stated = inner.get("max_position_embeddings") if isinstance(inner, dict) else None
    return stated if isinstance(stated, int) else None


def copy_tokenizer(base: Path, model: Path, chat_template: str) -> None:
    """Put what turns text into tokens, and the generation's settings, beside weights that were trained on `base`.

    The chat template is that of training, which the base need not have had itself.
    """
    for name in TOKENIZER_FILES:
        if (base / name).is_file():
            shutil.copyfile(base / name, model / name)
    write_text(model / CHAT_TEMPLATE, chat_template)


def _config_faults(folder: Path) -> list[str]:
    config = _json_object(folder / "config.json")
    return [config] if isinstance(config, str) else [f"config.json: {fault}" for fault in config_faults(config)]


def _adapter_faults(folder: Path) -> list[str]:
    """Refuse an adapter beside the model: Transformers would lay it over the weights, and nobody would hear of it."""
    return ["adapter_config.json lies in it, of an adapter"] if (folder / "adapter_config.json").exists() else []


def _tokenizer_faults(folder: Path) -> list[str]:
    tokenizer = _json_object(folder / "tokenizer.json")
    if isinstance(tokenizer, str):
        return [tokenizer]
    model, added = tokenizer.get("model"), tokenizer.get("added_tokens") or []
    faults = []
    if "model" in tokenizer and not (isinstance(model, dict) and isinstance(model.get("vocab"), dict | list)):
        faults.append("tokenizer.json has no vocabulary")
    if not isinstance(added, list) or not all(isinstance(t, dict) and isinstance(t.get("content"), str) for t in added):
        faults.append("tokenizer.json: added_tokens are no tokens")
    return faults


def _weight_faults(folder: Path) -> list[str]:
    index_path = folder / "model.safetensors.index.json"
    if index_path.is_file():
        index = _json_object(index_path)
        if isinstance(index, str):
            return [index]
        named = index.get("weight_map", {})
        if not isinstance(named, dict) or not all(isinstance(s, str) and Path(s).name == s for s in named.values()):
            return [f"{index_path.name}: weight_map does not name files beside it"]
        shards = sorted(set(named.values()))
        missing = [f"no {shard} (named in {index_path.name})" for shard in shards if not (folder / shard).is_file()]
        return missing if shards else [f"{index_path.name} names no files"]
    if (folder / "model.safetensors").is_file():
        return []
    return ["no model.safetensors and no model.safetensors.index.json"]


def _json_object(path: Path) -> dict[str, Any] | str:
    """Return the object in a JSON file, or what is wrong with the file."""
    if not path.is_file():
        return f"no {path.name}"
    try:
        content = json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        return f"{path.name} is not JSON"
    return content if isinstance(content, dict) else f"{path.name} is not a JSON object"
