"""Which ggml type each tensor gets: the mixtures of `llama-quantize`, without an importance matrix.

Follows tensor_allows_quantization, llama_tensor_get_type_impl and tensor_type_fallback in llama.cpp's
src/llama-quant.cpp as of 2026, for dense models.
"""

from __future__ import annotations

from dataclasses import dataclass

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


@dataclass(frozen=True)
class ModelShape:
    """What the choice of types depends on beside the tensor itself."""

    layers: int
    tied: bool  # the embedding is the output matrix as well
    is_70b: bool  # one of the 80-layer models for which llama.cpp has a rule of its own


def tensor_type(name: str, shape: tuple[int, ...], quantization: str, model: ModelShape) -> str:
    """Return the ggml type of the GGUF tensor `name` of `shape` (rows, columns)."""
    if len(shape) < 2 or not name.endswith(".weight") or name.endswith("_norm.weight"):
        return "F32"
    chosen = _by_role(name.removesuffix(".weight"), mixture(quantization), model)
    return _fitting(chosen, shape[-1])


def row_bytes(columns: int, type_name: str) -> int:
    elements, size = BLOCKS[type_name]
    return columns // elements * size


def _by_role(stem: str, mix: Mixture, model: ModelShape) -> str:
    if stem == "output" or (stem == "token_embd" and model.tied):
        return mix.careful
    block, _, role = stem.rpartition(".")
    if role not in {"attn_v", "attn_qkv", "ffn_down"}:
        return mix.usual
    if _gets_more_bits(int(block.removeprefix("blk.")), model.layers):
        return mix.careful
    if role != "ffn_down" and model.is_70b and mix.usual == "Q4_K":
        return "Q5_K"  # eight heads share these values: small, and much used
    return mix.usual


def _gets_more_bits(layer: int, layers: int) -> bool:
    """Whether a layer is in the first or last eighth, or every third between."""
    return layer < layers // 8 or layer >= 7 * layers // 8 or (layer - layers // 8) % 3 == 2


def _fitting(type_name: str, columns: int) -> str:
    if columns % BLOCKS[type_name][0] == 0:
        return type_name
    smaller = FALLBACKS[type_name]
    return smaller if columns % BLOCKS[smaller][0] == 0 else "F16"
