"""What config.json says about a model, in plain numbers, and all in it that cannot be exported."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from idiolect.errors import BaseModelFault
from idiolect.export.architectures import ARCHITECTURES, Architecture

COUNTS = {
    "vocabulary": "vocab_size",
    "hidden": "hidden_size",
    "feed_forward": "intermediate_size",
    "heads": "num_attention_heads",
    "layers": "num_hidden_layers",
    "context": "max_position_embeddings",
}

# What each kind of rotary scaling needs; the context before stretching is max_position_embeddings if not said.
ROPE_NUMBERS: Mapping[str, tuple[str, ...]] = {
    "default": (),
    "linear": ("factor",),
    "yarn": ("factor",),
    "llama3": ("factor", "low_freq_factor", "high_freq_factor"),
}
ORIGINAL_CONTEXT = "original_max_position_embeddings"


@dataclass(frozen=True)
class Rope:
    """Rotary embedding: its base, how it is stretched to longer contexts, and the numbers of that kind."""

    base: float
    kind: str
    numbers: Mapping[str, float]


@dataclass(frozen=True)
class Configuration:
    """The part of config.json that a GGUF's header repeats."""

    class_name: str
    sizes: Mapping[str, int]  # COUNTS, and key_heads, head, queries, keys
    norm_epsilon: float
    rope: Rope
    tied: bool

    @property
    def architecture(self) -> Architecture:
        return ARCHITECTURES[self.class_name]


def read(base: Path) -> Configuration:
    """Read `base`/config.json of Transformers 4 or 5, or raise one BaseModelFault for all that is wrong."""
    path = base / "config.json"
    config = json_object(path)
    class_name = _class_name(config, path)
    faults = [*_missing_counts(config), *_unsupported(config, ARCHITECTURES[class_name])]
    if faults:
        raise BaseModelFault(
            f"The model in {base} cannot be exported: {'; '.join(faults)}.",
            f"Choose another base model; {_supported()} with 16- or 32-bit weights can be exported.",
        )
    return Configuration(
        class_name=class_name,
        sizes=_sizes(config),
        norm_epsilon=config.get("rms_norm_eps", 1e-6),
        rope=_rope(config),
        tied=bool(config.get("tie_word_embeddings", False)),
    )


def json_object(path: Path) -> dict[str, Any]:
    """Read one of a base model's JSON files."""
    remedy = f"Fetch the base model again: {path.parent} is not complete."
    try:
        content = json.loads(path.read_bytes())
    except FileNotFoundError as absent:
        raise BaseModelFault(f"There is no {path}.", remedy) from absent
    except ValueError as broken:
        raise BaseModelFault(f"{path} is not JSON: {broken}", remedy) from broken
    if not isinstance(content, dict):
        raise BaseModelFault(f"{path} is not a JSON object.", remedy)
    return content


def _class_name(config: dict[str, Any], path: Path) -> str:
    named = config.get("architectures") or ["none named"]
    if named[0] not in ARCHITECTURES:
        raise BaseModelFault(
            f"The model in {path.parent} has the architecture {named[0]}, which cannot be exported to GGUF.",
            f"Choose a base model of one of these: {_supported()}.",
        )
    return str(named[0])


def _supported() -> str:
    return ", ".join(sorted(ARCHITECTURES))


def _missing_counts(config: dict[str, Any]) -> list[str]:
    return [
        f"config.json has no {key}"
        for key in COUNTS.values()
        if not isinstance(config.get(key), int) or config[key] < 1
    ]


def _unsupported(config: dict[str, Any], family: Architecture) -> list[str]:
    """List the settings that change what the model computes and that the export does not carry over."""
    rope = _rope_settings(config)
    faults = []
    if config.get("quantization_config"):
        faults.append("its weights are stored quantized (quantization_config)")
    if config.get("hidden_act", "silu") != "silu":
        faults.append(f"hidden_act is {config['hidden_act']}, not silu")
    if config.get("use_sliding_window"):
        faults.append("use_sliding_window is on")
    if (config.get("partial_rotary_factor") or rope.get("partial_rotary_factor") or 1) != 1:
        faults.append("only a part of each head is rotated (partial_rotary_factor)")
    kind = _rope_kind(rope)
    if kind not in family.rope_kinds:
        faults.append(f"rotary scaling is of the kind {kind}, not {' or '.join(family.rope_kinds)}")
    faults += [f"rotary scaling has no {key}" for key in ROPE_NUMBERS.get(kind, ()) if not rope.get(key)]
    tuned = sorted({"attention_factor", "mscale", "mscale_all_dim", "beta_fast", "beta_slow"} & _set_keys(rope))
    if tuned:
        faults.append(f"rotary scaling with {', '.join(tuned)}")
    return faults


def _set_keys(settings: dict[str, Any]) -> set[str]:
    return {key for key, value in settings.items() if value is not None}


def _sizes(config: dict[str, Any]) -> dict[str, int]:
    sizes = {name: int(config[key]) for name, key in COUNTS.items()}
    sizes["key_heads"] = config.get("num_key_value_heads") or sizes["heads"]
    sizes["head"] = config.get("head_dim") or sizes["hidden"] // sizes["heads"]
    sizes["queries"] = sizes["heads"] * sizes["head"]
    sizes["keys"] = sizes["key_heads"] * sizes["head"]
    return sizes


def _rope_settings(config: dict[str, Any]) -> dict[str, Any]:
    """Return `rope_parameters` (Transformers 5), or `rope_scaling` (4), which lacks the base."""
    return config.get("rope_parameters") or config.get("rope_scaling") or {}


def _rope_kind(settings: dict[str, Any]) -> str:
    return str(settings.get("rope_type") or settings.get("type") or "default")


def _rope(config: dict[str, Any]) -> Rope:
    settings = _rope_settings(config)
    kind = _rope_kind(settings)
    numbers = {key: float(settings[key]) for key in ROPE_NUMBERS[kind]}
    numbers[ORIGINAL_CONTEXT] = float(settings.get(ORIGINAL_CONTEXT) or config["max_position_embeddings"])
    base = settings.get("rope_theta") or config.get("rope_theta") or 10000.0
    return Rope(base=float(base), kind=kind, numbers=numbers)
