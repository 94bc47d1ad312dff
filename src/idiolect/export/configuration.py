"""What config.json says about a model, in plain numbers, and all in it that cannot be exported."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from idiolect.errors import BaseModelFault
from idiolect.export import rope
from idiolect.export.architectures import ARCHITECTURES, Architecture
from idiolect.export.rope import Rope

COUNTS = {
    "vocabulary": "vocab_size",
    "hidden": "hidden_size",
    "feed_forward": "intermediate_size",
    "heads": "num_attention_heads",
    "layers": "num_hidden_layers",
    "context": "max_position_embeddings",
}


@dataclass(frozen=True)
class Configuration:
    """The part of config.json that a GGUF's header repeats."""

    class_name: str
    sizes: Mapping[str, int]  # COUNTS, and what _sizes adds
    norm_epsilon: float
    rope: Rope
    tied: bool
    window: int | None = None  # how many tokens back most layers see; 0 if all, None if llama.cpp does not ask
    softcap: float | None = None  # output scores are pressed below this

    @property
    def architecture(self) -> Architecture:
        return ARCHITECTURES[self.class_name]


def read(base: Path) -> Configuration:
    """Read `base`/config.json of Transformers 4 or 5, or raise one BaseModelFault for all that is wrong."""
    stated = json_object(base / "config.json")
    known = _known_class_name(base)
    family = ARCHITECTURES[known]
    config = {**family.defaults, **{key: value for key, value in stated.items() if value is not None}}
    missing = _missing_counts(config)
    faults = [*missing, *_unsupported(config, family), *([] if missing else _attention_faults(config, family))]
    if faults:
        raise BaseModelFault(
            f"The model in {base} cannot be exported: {'; '.join(faults)}.",
            f"Choose another base model; {_supported()} with 16- or 32-bit weights can be exported.",
        )
    sizes = _sizes(config)
    return Configuration(
        class_name=known,
        sizes=sizes,
        norm_epsilon=config.get("rms_norm_eps", 1e-6),
        rope=rope.read(config, sizes["head"]),
        tied=bool(config.get("tie_word_embeddings", False)),
        window=int(config.get("sliding_window", 0)) if family.has_window else None,
        softcap=config.get("final_logit_softcapping"),
    )


def json_object(path: Path) -> dict[str, Any]:
    """Read one of a base model's JSON files."""
    remedy = f"Fetch the base model again: {path.parent} is not complete."
    try:
        content = json.loads(path.read_bytes())
    except FileNotFoundError as absent:
        raise BaseModelFault(f"There is no {path}.", remedy) from absent
    except (ValueError, RecursionError) as broken:
        raise BaseModelFault(f"{path} is not JSON: {broken}", remedy) from broken
    if not isinstance(content, dict):
        raise BaseModelFault(f"{path} is not a JSON object.", remedy)
    return content


def class_name(base: Path) -> str:
    """Return the name of Transformers' class that config.json states first."""
    named = json_object(base / "config.json").get("architectures") or ["none named"]
    return str(named[0] if isinstance(named, list) else named)


def _known_class_name(base: Path) -> str:
    named = class_name(base)
    if named not in ARCHITECTURES:
        raise BaseModelFault(
            f"The model in {base} has the architecture {named}, which cannot be exported to GGUF.",
            f"Choose a base model of one of these: {_supported()}; or let LLAMA_CPP_DIR name the folder of llama.cpp's "
            "source, whose own converter knows more.",
        )
    return named


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
    key, activation = family.activation
    faults = []
    if config.get("quantization_config"):
        faults.append("its weights are stored quantized (quantization_config)")
    if config.get(key, activation) != activation:
        faults.append(f"{key} is {config[key]}, not {activation}")
    unknown = ["use_sliding_window", "use_bidirectional_attention", "attn_logit_softcapping"]
    unknown += [] if family.softcaps else ["final_logit_softcapping"]
    faults += [f"{key} is on" for key in unknown if config.get(key)]
    return [*faults, *rope.faults(config, family)]


def _attention_faults(config: dict[str, Any], family: Architecture) -> list[str]:
    """Hold against what llama.cpp computes by itself: the scale of attention, and which layers see everything."""
    faults = []
    sizes, every = _sizes(config), family.sees_all_every
    # As Gemma 3 does in the model of 27 billion weights, known by its layers, and in the others.
    scale = sizes["hidden"] // sizes["heads"] if sizes["layers"] == 62 else sizes["head"]
    if family.same_scale and config.get("query_pre_attn_scalar") != scale:
        faults.append(f"query_pre_attn_scalar is {config.get('query_pre_attn_scalar')}, not {scale}")
    kinds = ["sliding_attention" if (layer + 1) % every else "full_attention" for layer in range(sizes["layers"])]
    if config.get("layer_types", kinds) != kinds:
        faults.append(f"layer_types are not full_attention in 1 of {every}")
    if config.get("sliding_window_pattern", every) != every:
        faults.append(f"sliding_window_pattern is not {every}")
    return faults


def _sizes(config: dict[str, Any]) -> dict[str, int]:
    sizes = {name: int(config[key]) for name, key in COUNTS.items()}
    sizes["key_heads"] = config.get("num_key_value_heads") or sizes["heads"]
    sizes["head"] = config.get("head_dim") or sizes["hidden"] // sizes["heads"]
    sizes["queries"] = sizes["heads"] * sizes["head"]
    sizes["keys"] = sizes["key_heads"] * sizes["head"]
    sizes["queries_keys_values"] = sizes["queries"] + 2 * sizes["keys"]
    sizes["gate_up"] = 2 * sizes["feed_forward"]
    return sizes
