"""What strangers have written of a base model is read within this: what is no model is a fault that says so.

config.json, tokenizer.json and the index of the weights are somebody else's; code that goes by their form meets forms
that nobody has thought of.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from idiolect.errors import BaseModelFault

#: Key of config.json → the most that any model will have for some years. What is larger would fill all memory.
_MOST = {
    "num_hidden_layers": 2_000,
    "hidden_size": 1_000_000,
    "intermediate_size": 10_000_000,
    "num_attention_heads": 100_000,
    "num_key_value_heads": 100_000,
    "head_dim": 100_000,
    "vocab_size": 50_000_000,
    "max_position_embeddings": 10**12,
}
_ODD = (LookupError, TypeError, AttributeError, ValueError, ArithmeticError, RecursionError, MemoryError)


@contextmanager
def reading_a_model(name: str) -> Iterator[None]:
    """Raise BaseModelFault for whatever goes wrong within the block with the form of a model's files."""
    try:
        yield
    except _ODD as error:
        said = "nested too deep" if isinstance(error, RecursionError) else f"{type(error).__name__}: {error}"
        raise BaseModelFault(
            f"The base model {name} is malformed ({said[:200]}).", "Fetch it again, or choose another one."
        ) from error


def config_faults(config: Mapping[str, Any]) -> list[str]:
    """List what no config.json of a model that can be trained says."""
    faults = []
    for level in (config, config.get("text_config")):
        if level is not None and not isinstance(level, Mapping):
            faults.append("text_config is no JSON object")
            continue
        stated = level or {}
        for key, most in _MOST.items():
            value = stated.get(key)
            if value is not None and (not isinstance(value, int) or isinstance(value, bool) or not 0 < value <= most):
                faults.append(f"{key} is {str(value)[:40]}")
        for key in ("rms_norm_eps", "layer_norm_eps", "rope_theta"):
            if stated.get(key) is not None and not isinstance(stated[key], int | float):
                faults.append(f"{key} is no number")
    named = config.get("architectures")
    if named is not None and not (isinstance(named, list) and all(isinstance(n, str) for n in named)):
        faults.append("architectures is no list of names")
    if not isinstance(config.get("model_type", ""), str):
        faults.append("model_type is no name")
    return faults
