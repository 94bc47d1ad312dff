"""Rotary embedding: what config.json says of it, and the tensors that llama.cpp reads parts of it from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from math import log, pi, sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from idiolect.export.architectures import Architecture

# What each kind of scaling needs; the context before stretching is max_position_embeddings if not said.
NUMBERS: Mapping[str, tuple[str, ...]] = {
    "default": (),
    "linear": ("factor",),
    "yarn": ("factor",),
    "llama3": ("factor", "low_freq_factor", "high_freq_factor"),
    "longrope": (),
}
# Divisors of each frequency, below and beyond the context before stretching, by their names in a GGUF.
LONGROPE_FACTORS = {"rope_factors_long": "long_factor", "rope_factors_short": "short_factor"}
ORIGINAL_CONTEXT = "original_max_position_embeddings"

# Tuning that llama.cpp has other defaults for, or computes by itself.
TUNED = ("attention_factor", "beta_fast", "beta_slow", "mscale", "mscale_all_dim")


@dataclass(frozen=True)
class Rope:
    """Rotary embedding: its base, how it is stretched to longer contexts, and the numbers of that kind."""

    base: float
    kind: str
    numbers: Mapping[str, float]
    rotated: int  # how many of a head's numbers are turned
    attention_factor: float  # what sines and cosines are multiplied with
    local_base: float | None = None  # in the layers that see a window only, if they have their own
    factors: Mapping[str, tuple[float, ...]] = field(default_factory=dict)  # see LONGROPE_FACTORS


def read(config: Mapping[str, Any], head: int) -> Rope:
    """Read the rotary embedding of a model in whose config.json there are no faults."""
    settings = _settings(config)
    kind, context = _kind(settings), float(config["max_position_embeddings"])
    numbers = {key: float(settings[key]) for key in NUMBERS[kind]}
    numbers[ORIGINAL_CONTEXT] = float(config.get(ORIGINAL_CONTEXT) or settings.get(ORIGINAL_CONTEXT) or context)
    factors = LONGROPE_FACTORS if kind == "longrope" else {}
    return Rope(
        base=float(settings.get("rope_theta") or config.get("rope_theta") or 10000.0),
        kind=kind,
        numbers=numbers,
        rotated=int(head * _part(config, settings)),
        attention_factor=_attention_factor(settings, context, numbers[ORIGINAL_CONTEXT]),
        local_base=_local(config).get("rope_theta") or config.get("rope_local_base_freq"),
        factors={name: tuple(float(x) for x in settings[key]) for name, key in factors.items()},
    )


def faults(config: Mapping[str, Any], family: Architecture) -> list[str]:
    """List what config.json says about rotary embedding that is not complete or cannot be carried over."""
    settings = _settings(config)
    kind = _kind(settings)
    found = []
    if kind not in family.rope_kinds:
        found.append(f"rotary scaling is of the kind {kind}, not {' or '.join(family.rope_kinds)}")
    if _part(config, settings) != 1 and not family.rotates_a_part:
        found.append("only a part of each head is rotated (partial_rotary_factor)")
    if _kind(_local(config)) != "default":
        found.append("rotary scaling in the layers that see a window only")
    needed = (*NUMBERS.get(kind, ()), *(LONGROPE_FACTORS.values() if kind == "longrope" else ()))
    found += [f"rotary scaling has no {key}" for key in needed if not settings.get(key)]
    tuned = [key for key in TUNED if settings.get(key) is not None]
    if tuned and kind != "longrope":
        found.append(f"rotary scaling with {', '.join(tuned)}")
    return found


def factor_tensors(rope: Rope) -> Iterator[tuple[str, NDArray[np.float32]]]:
    """Yield the tensors (rotated / 2,) by which frequencies are divided, with their names in a GGUF."""
    if rope.kind == "llama3":
        yield "rope_freqs.weight", _llama_3_factors(rope)
    for name, factors in rope.factors.items():
        yield f"{name}.weight", np.array(factors, np.float32)


def _llama_3_factors(rope: Rope) -> NDArray[np.float32]:
    """Slow the low frequencies, as Transformers' `_compute_llama3_parameters` does.

    What turns seldom within the original context is divided by `factor`, what turns often is left alone, with
    a straight line between.
    """
    frequencies = rope.base ** -(np.arange(0, rope.rotated, 2) / rope.rotated)
    turns = rope.numbers[ORIGINAL_CONTEXT] * frequencies / (2 * pi)
    low, high = rope.numbers["low_freq_factor"], rope.numbers["high_freq_factor"]
    kept = np.clip((turns - low) / (high - low), 0, 1)
    factors: NDArray[np.float32] = (1 / ((1 - kept) / rope.numbers["factor"] + kept)).astype(np.float32)
    return factors


def _attention_factor(settings: Mapping[str, Any], context: float, original: float) -> float:
    """Return what Transformers' _compute_longrope_parameters returns; of other kinds it is not asked for."""
    if settings.get("attention_factor") is not None:
        return float(settings["attention_factor"])
    stretch = float(settings.get("factor") or context / original)
    return sqrt(1 + log(stretch) / log(original)) if stretch > 1 else 1.0


def _all_settings(config: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return `rope_parameters` (Transformers 5), or `rope_scaling` (4), which lacks the base."""
    return config.get("rope_parameters") or config.get("rope_scaling") or {}


def _settings(config: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the settings of all layers, or of those that see everything, where the two differ."""
    settings = _all_settings(config)
    chosen: Mapping[str, Any] = settings.get("full_attention", settings)
    return chosen


def _local(config: Mapping[str, Any]) -> Mapping[str, Any]:
    return _all_settings(config).get("sliding_attention") or {}


def _kind(settings: Mapping[str, Any]) -> str:
    kind = str(settings.get("rope_type") or settings.get("type") or "default")
    return "longrope" if kind == "su" else kind  # its name in the first Phi-3


def _part(config: Mapping[str, Any], settings: Mapping[str, Any]) -> float:
    return float(settings.get("partial_rotary_factor") or config.get("partial_rotary_factor") or 1)
