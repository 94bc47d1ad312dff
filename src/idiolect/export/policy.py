"""Which ggml type each tensor gets: the mixtures of `llama-quantize`, without an importance matrix.

Follows tensor_allows_quantization, llama_tensor_get_type_impl and tensor_type_fallback in llama.cpp's
src/llama-quant.cpp as of 2026.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from idiolect.errors import OptionFault

# Elements and bytes of one block of each type; a row holds whole blocks (ggml-common.h).
BLOCKS = {
    "F32": (1, 4),
    "F16": (1, 2),
    "BF16": (1, 2),
    "Q8_0": (32, 34),
    "Q5_0": (32, 22),
    "Q5_1": (32, 24),
    "Q4_K": (256, 144),
    "Q5_K": (256, 176),
    "Q6_K": (256, 210),
}

# The type for a row that does not divide into blocks; where that does not fit either, F16.
FALLBACKS = {"Q4_K": "Q5_0", "Q5_K": "Q5_1", "Q6_K": "Q8_0", "Q8_0": "F16"}


@dataclass(frozen=True)
class Mixture:
    """A quantization as people name it: `careful` is for the tensors that suffer most from few bits."""

    file_type: int  # general.file_type, llama.cpp's llama_ftype
    usual: str
    careful: str


MIXTURES = {
    "Q4_K_M": Mixture(15, "Q4_K", "Q6_K"),
    "Q5_K_M": Mixture(17, "Q5_K", "Q6_K"),
    "Q6_K": Mixture(18, "Q6_K", "Q6_K"),
    "Q8_0": Mixture(7, "Q8_0", "Q8_0"),
    "F16": Mixture(1, "F16", "F16"),
    "BF16": Mixture(32, "BF16", "BF16"),
}


def mixture(quantization: str) -> Mixture:
    try:
        return MIXTURES[quantization]
    except KeyError:
        raise OptionFault(
            f"There is no quantization {quantization!r}.", f"Choose one of {', '.join(MIXTURES)}."
        ) from None


# Tensors that are never quantized, by a part of their names: small ones, and those that are not multiplied with.
UNTOUCHED = (
    "_norm.weight",
    "ffn_gate_inp.weight",
    "ffn_gate_tid2eid.weight",
    "altup",
    "laurel",
    "per_layer_model_proj",
    "ssm_conv1d",
    "shortconv.conv.weight",
    "indexer.k_proj.weight",
    "indexer.q_proj.weight",
    "attn_rel_b.weight",
    "position_embd",
    "token_types",
    *(f"time_mix_{part}.weight" for part in ("first", "decay_w1", "decay_w2", "lerp_fused")),
    *(f"time_mix_{part}.weight" for part in ("w0", "w1", "w2", "v0", "v1", "v2", "a0", "a1", "a2", "g1", "g2")),
)

# What is looked for in a name, in this order; the first is the tensor's role.
VALUES = ("attn_qkv.weight", "attn_kv_b.weight", "attn_v.weight")
ROLES = (*VALUES, "attn_k.weight", "attn_output.weight", "ffn_down")


@dataclass(frozen=True)
class ModelShape:
    """What the choice of types depends on beside the tensor itself."""

    layers: int
    tied: bool  # the embedding is the output matrix as well
    is_70b: bool  # one of the 80-layer models for which llama.cpp has a rule of its own
    experts: int = 0
    falcon: bool = False
    # Where not every layer has one tensor of a role: which one of them this is, and of the values how many there are.
    places: Mapping[str, int] = field(default_factory=dict)
    values: int | None = None


def tensor_type(name: str, shape: tuple[int, ...], quantization: str, model: ModelShape) -> str:
    """Return the ggml type of the GGUF tensor `name` of `shape` (..., rows, columns)."""
    if not may_be_quantized(name, shape):
        return "F32"
    chosen = _by_role(name, mixture(quantization), model)
    return _fitting(chosen, shape[-1])


def may_be_quantized(name: str, shape: tuple[int, ...]) -> bool:
    # Of leading dimensions of one, ggml knows nothing.
    matrix = any(size > 1 for size in shape[:-1])
    return matrix and name.endswith("weight") and not any(part in name for part in UNTOUCHED)


def role(name: str) -> str | None:
    return next((known for known in ROLES if known in name), None)


def row_bytes(columns: int, type_name: str) -> int:
    elements, size = BLOCKS[type_name]
    return columns // elements * size


def _by_role(name: str, mix: Mixture, model: ModelShape) -> str:
    """Return the type before it is known whether it fits the rows."""
    if mix.usual in {"F16", "BF16"}:
        return mix.usual
    if name == "output.weight" or (name.endswith("token_embd.weight") and model.tied):
        return "Q8_0" if model.falcon else mix.careful
    part = role(name)
    if model.experts == 8 and part in {*VALUES, "attn_k.weight", "attn_output.weight"}:
        return _beside_eight_experts(part, mix)
    if part in VALUES:
        return _of_values(_place(name, model), mix, model)
    if part == "ffn_down":
        return _of_falcons_down(_place(name, model), mix, model) if model.falcon else _of_down(name, mix, model)
    return mix.usual


def _beside_eight_experts(part: str | None, mix: Mixture) -> str:
    """Spend more on attention, which is small there beside the rest."""
    if part != "attn_output.weight":
        return "Q8_0"
    return "Q5_K" if mix.usual == "Q4_K" else mix.usual


def _of_values(place: int, mix: Mixture, model: ModelShape) -> str:
    if _gets_more_bits(place, model.layers if model.values is None else model.values):
        return mix.careful
    # With 80 layers eight heads share these values: small, and much used.
    return "Q5_K" if model.is_70b and mix.usual == "Q4_K" else mix.usual


def _of_down(name: str, mix: Mixture, model: ModelShape) -> str:
    place = layer(name) if model.experts > 1 else _place(name, model)
    return mix.careful if _gets_more_bits(place, model.layers) else mix.usual


def _of_falcons_down(place: int, mix: Mixture, model: ModelShape) -> str:
    if not _gets_more_bits(place, model.layers):
        return mix.usual
    return "Q5_K" if mix.usual == "Q4_K" and place >= model.layers // 16 else mix.careful


def _place(name: str, model: ModelShape) -> int:
    return model.places.get(name, layer(name))


def layer(name: str) -> int:
    found = re.search(r"blk\.(\d+)\.", name)
    return int(found[1]) if found else 0


def layer_order(name: str) -> tuple[int, str]:
    """Sort tensors as llama.cpp does: those that belong to no layer first, then layer by layer, each by its name."""
    found = re.match(r"blk\.(\d+)", name)
    return int(found[1]) if found else -1, name


def _gets_more_bits(layer: int, layers: int) -> bool:
    """Whether a layer is in the first or last eighth, or every third between."""
    return layer < layers // 8 or layer >= 7 * layers // 8 or (layer - layers // 8) % 3 == 2


def _fitting(type_name: str, columns: int) -> str:
    if columns % BLOCKS[type_name][0] == 0:
        return type_name
    smaller = FALLBACKS[type_name]
    return smaller if columns % BLOCKS[smaller][0] == 0 else "F16"
