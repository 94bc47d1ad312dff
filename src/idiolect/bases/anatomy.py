"""What a model is made of, from its config.json alone: how many weights, and in which layers.

Shapes are those of Transformers' classes of the same names.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from idiolect.errors import BaseModelFault

_SIZES = (
    "vocab_size",
    "hidden_size",
    "intermediate_size",
    "num_hidden_layers",
    "num_attention_heads",
)


@dataclass(frozen=True)
class Linear:
    """A linear layer: `rows` outputs, `columns` inputs."""

    name: str
    rows: int
    columns: int
    bias: bool = False

    @property
    def weights(self) -> int:
        """Those of the matrix, without the bias."""
        return self.rows * self.columns


@dataclass(frozen=True)
class Anatomy:
    """One model. Counts are of weights; `linears` and `norms_a_layer` are those of each of the `layers`."""

    architecture: str
    vocabulary: int
    hidden: int
    feed_forward: int
    layers: int
    heads: int
    key_heads: int
    head: int
    tied: bool
    linears: tuple[Linear, ...]
    norms_a_layer: int

    @property
    def in_linears(self) -> int:
        """What 4-bit quantization takes hold of, and what every token passes through."""
        return self.layers * sum(linear.weights for linear in self.linears)

    @property
    def embedding(self) -> int:
        return self.vocabulary * self.hidden

    @property
    def output(self) -> int:
        """Weights that the output layer has of its own: none if it shares the embedding's."""
        return 0 if self.tied else self.embedding

    @property
    def in_norms_and_biases(self) -> int:
        biases = sum(linear.rows for linear in self.linears if linear.bias)
        return self.layers * (self.norms_a_layer + biases) + self.hidden

    @property
    def parameters(self) -> int:
        return self.embedding + self.output + self.in_linears + self.in_norms_and_biases

    @property
    def shapes(self) -> list[tuple[int, ...]]:
        """Every tensor's shape but those of norms and biases, largest first."""
        ends = [(self.vocabulary, self.hidden)] * (1 if self.tied else 2)
        return sorted([*ends, *((linear.rows, linear.columns) for linear in self.linears * self.layers)], reverse=True)


@dataclass(frozen=True)
class _Family:
    """How the layers of an architecture differ from Llama's."""

    biased: Mapping[str, bool | str] = field(default_factory=dict)  # True, or the key of config.json that says so
    fused: bool = False  # queries, keys and values in one matrix, gate and up in another
    norms_heads: bool = False
    norms: Literal[2, 4] = 2
    defaults: Mapping[str, Any] = field(default_factory=dict)  # of Transformers' class, where files leave keys out


_ATTENTION = ("q_proj", "k_proj", "v_proj", "o_proj")
_ATTENTION_BIAS = dict.fromkeys(_ATTENTION, "attention_bias")
_MLP_BIAS = dict.fromkeys(("gate_proj", "up_proj", "down_proj"), "mlp_bias")
_GEMMA_3 = {
    "head_dim": 256,
    "num_attention_heads": 8,
    "num_key_value_heads": 4,
    "tie_word_embeddings": True,
    "vocab_size": 262_208,
}

_FAMILIES: Mapping[str, _Family] = {
    "Gemma3ForCausalLM": _Family(_ATTENTION_BIAS, norms_heads=True, norms=4, defaults=_GEMMA_3),
    "LlamaForCausalLM": _Family({**_ATTENTION_BIAS, **_MLP_BIAS}),
    "MistralForCausalLM": _Family(),
    "Phi3ForCausalLM": _Family(fused=True),
    "Qwen2ForCausalLM": _Family(dict.fromkeys(_ATTENTION[:3], True)),
    "Qwen3ForCausalLM": _Family(_ATTENTION_BIAS, norms_heads=True, defaults={"head_dim": 128}),
}


def dissect(config: Mapping[str, Any], name: str) -> Anatomy:
    """Read the content of a config.json; `name` is what the person calls the model.

    Raises BaseModelFault for an architecture that is not known, naming it, or with every size that is missing.
    """
    architecture = str((config.get("architectures") or ["none named"])[0])
    if architecture not in _FAMILIES:
        raise BaseModelFault(
            f"{name} has the architecture {architecture}, which cannot be planned for.",
            f"Choose a base model of one of these: {', '.join(sorted(_FAMILIES))}.",
        )
    family = _FAMILIES[architecture]
    stated = {**family.defaults, **{key: value for key, value in config.items() if value is not None}}
    missing = [key for key in _SIZES if not isinstance(stated.get(key), int) or stated[key] < 1]
    if missing:
        raise BaseModelFault(
            f"The config.json of {name} has no {', no '.join(missing)}.", "Fetch it again, or choose another model."
        )
    return _dissected(architecture, family, stated)


def _dissected(architecture: str, family: _Family, config: Mapping[str, Any]) -> Anatomy:
    hidden, heads = config["hidden_size"], config["num_attention_heads"]
    key_heads = config.get("num_key_value_heads") or heads
    head = config.get("head_dim") or hidden // heads
    return Anatomy(
        architecture=architecture,
        vocabulary=config["vocab_size"],
        hidden=hidden,
        feed_forward=config["intermediate_size"],
        layers=config["num_hidden_layers"],
        heads=heads,
        key_heads=key_heads,
        head=head,
        tied=bool(config.get("tie_word_embeddings", False)),
        linears=_linears(family, config, heads * head, key_heads * head),
        norms_a_layer=family.norms * hidden + (2 * head if family.norms_heads else 0),
    )


def _linears(family: _Family, config: Mapping[str, Any], queries: int, keys: int) -> tuple[Linear, ...]:
    hidden, feed_forward = config["hidden_size"], config["intermediate_size"]
    if family.fused:
        return (
            Linear("qkv_proj", queries + 2 * keys, hidden),
            Linear("o_proj", hidden, queries),
            Linear("gate_up_proj", 2 * feed_forward, hidden),
            Linear("down_proj", hidden, feed_forward),
        )
    shapes = {
        "q_proj": (queries, hidden),
        "k_proj": (keys, hidden),
        "v_proj": (keys, hidden),
        "o_proj": (hidden, queries),
        "gate_proj": (feed_forward, hidden),
        "up_proj": (feed_forward, hidden),
        "down_proj": (hidden, feed_forward),
    }
    return tuple(Linear(name, *shape, _has_bias(family, name, config)) for name, shape in shapes.items())


def _has_bias(family: _Family, name: str, config: Mapping[str, Any]) -> bool:
    said = family.biased.get(name, False)
    return bool(config.get(said, False)) if isinstance(said, str) else said
