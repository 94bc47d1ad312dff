"""Which tensor gets which type, in every mixture, and that quantizing keeps near to the weights."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import gguf
import numpy as np
import pytest

from idiolect import export
from idiolect.errors import OptionFault
from idiolect.export import policy

# Four layers: llama.cpp gives more bits to layers 2 (every third) and 3 (the last eighth).
MORE, FEWER = (2, 3), (0, 1)
UNTIED = policy.ModelShape(layers=4, tied=False, is_70b=False)


def chosen(name: str, quantization: str, columns: int = 256, model: policy.ModelShape = UNTIED) -> str:
    return policy.tensor_type(f"{name}.weight", (256, columns), quantization, model)


@pytest.mark.parametrize(
    ("quantization", "usual", "careful"),
    [
        ("Q4_K_M", "Q4_K", "Q6_K"),
        ("Q5_K_M", "Q5_K", "Q6_K"),
        ("Q6_K", "Q6_K", "Q6_K"),
        ("Q8_0", "Q8_0", "Q8_0"),
        ("F16", "F16", "F16"),
        ("BF16", "BF16", "BF16"),
    ],
)
def test_the_mixtures(quantization: str, usual: str, careful: str) -> None:
    for role in ("attn_q", "attn_k", "attn_output", "ffn_gate", "ffn_up"):
        assert {chosen(f"blk.{layer}.{role}", quantization) for layer in range(4)} == {usual}
    for role in ("attn_v", "ffn_down"):
        assert {chosen(f"blk.{layer}.{role}", quantization) for layer in MORE} == {careful}
        assert {chosen(f"blk.{layer}.{role}", quantization) for layer in FEWER} == {usual}
    assert chosen("output", quantization) == careful
    assert chosen("token_embd", quantization) == usual
    tied = policy.ModelShape(layers=4, tied=True, is_70b=False)
    assert chosen("token_embd", quantization, model=tied) == careful


def test_layers_with_more_bits_in_a_model_of_32() -> None:
    model = policy.ModelShape(layers=32, tied=False, is_70b=False)
    careful = [i for i in range(32) if chosen(f"blk.{i}.ffn_down", "Q4_K_M", model=model) == "Q6_K"]
    assert careful == [0, 1, 2, 3, 6, 9, 12, 15, 18, 21, 24, 27, 28, 29, 30, 31]


def test_the_values_of_a_70b_model_get_five_bits() -> None:
    model = policy.ModelShape(layers=80, tied=False, is_70b=True)
    assert chosen("blk.10.attn_v", "Q4_K_M", model=model) == "Q5_K"
    assert chosen("blk.9.attn_v", "Q4_K_M", model=model) == "Q6_K"
    assert chosen("blk.10.ffn_down", "Q4_K_M", model=model) == "Q4_K"
    assert chosen("blk.10.attn_v", "Q5_K_M", model=model) == "Q5_K"


@pytest.mark.parametrize(
    ("quantization", "usual", "careful"),
    [
        ("Q4_K_M", "Q5_0", "Q8_0"),
        ("Q5_K_M", "Q5_1", "Q8_0"),
        ("Q6_K", "Q8_0", "Q8_0"),
        ("Q8_0", "Q8_0", "Q8_0"),
    ],
)
def test_rows_that_do_not_divide_into_blocks(quantization: str, usual: str, careful: str) -> None:
    assert chosen("blk.0.attn_q", quantization, columns=96) == usual
    assert chosen("blk.3.attn_v", quantization, columns=96) == careful
    assert chosen("output", quantization, columns=96) == careful
    assert chosen("blk.0.attn_q", quantization, columns=80) == "F16"
    assert chosen("output", quantization, columns=80) == "F16"


@pytest.mark.parametrize(
    "name", ["blk.0.attn_norm.weight", "output_norm.weight", "rope_freqs.weight", "blk.0.attn_q.bias"]
)
def test_small_tensors_stay_as_they_are(name: str) -> None:
    assert policy.tensor_type(name, (256,), "Q4_K_M", UNTIED) == "F32"


def test_an_unknown_quantization_is_refused_with_the_known(bases: Mapping[str, Path]) -> None:
    with pytest.raises(OptionFault, match="Q4_K_M, Q5_K_M, Q6_K, Q8_0, F16, BF16"):
        export.estimate_bytes(bases["llama"], "Q4_K_S")


def test_the_block_sizes_are_ggufs() -> None:
    for name, block in policy.BLOCKS.items():
        assert gguf.GGML_QUANT_SIZES[gguf.GGMLQuantizationType[name]] == block


# Root of the mean square of the error, relative to that of the weights, for a normal distribution.
ERRORS = {
    "Q4_K": 0.09,
    "Q5_0": 0.06,
    "Q5_K": 0.045,
    "Q5_1": 0.05,
    "Q6_K": 0.025,
    "Q8_0": 0.007,
    "F16": 0.0004,
}


@pytest.mark.parametrize(
    ("name", "quantization"),
    [("llama", "Q4_K_M"), ("llama-tied", "Q5_K_M"), ("llama", "Q6_K"), ("llama-96", "Q5_K_M"), ("llama-96", "Q4_K_M")],
)
def test_files_have_the_types_and_are_near_the_weights(
    bases: Mapping[str, Path], tmp_path: Path, name: str, quantization: str
) -> None:
    sizes = {}
    found = {}
    for kind in ("BF16", quantization):
        sizes[kind] = export.export_gguf(bases[name], tmp_path / f"{kind}.gguf", kind, name="tiny").bytes
        found[kind] = {tensor.name: tensor for tensor in gguf.GGUFReader(tmp_path / f"{kind}.gguf").tensors}
    model = policy.ModelShape(layers=4, tied=name == "llama-tied", is_70b=False)
    for tensor, packed in found[quantization].items():
        shape = tuple(int(size) for size in reversed(packed.shape))
        assert packed.tensor_type.name == policy.tensor_type(tensor, shape, quantization, model)
        if packed.tensor_type.name != "F32":
            source = gguf.quants.dequantize(found["BF16"][tensor].data, gguf.GGMLQuantizationType.BF16)
            error = gguf.quants.dequantize(packed.data, packed.tensor_type) - source
            relative = np.sqrt((error**2).mean() / (source**2).mean())
            assert relative < ERRORS[packed.tensor_type.name], tensor
    assert sizes[quantization] < sizes["BF16"]


@pytest.mark.parametrize("name", ["llama", "llama-tied", "qwen2"])
@pytest.mark.parametrize("quantization", ["Q4_K_M", "F16"])
def test_the_estimate_is_a_little_more_than_the_file(
    bases: Mapping[str, Path], tmp_path: Path, name: str, quantization: str
) -> None:
    written = export.export_gguf(bases[name], tmp_path / "m.gguf", quantization, name="tiny").bytes
    assert written <= export.estimate_bytes(bases[name], quantization) < written + 200_000
