"""A GGUF of a few kilobytes, unpacked: which tensor goes where, in what order, with what rounding."""

from __future__ import annotations

import json
from pathlib import Path

import gguf
import numpy as np
import pytest
from numpy.typing import NDArray

from idiolect.bases import unpack
from idiolect.errors import BaseModelFault

HIDDEN, HEADS, KV_HEADS, HEAD = 32, 4, 2, 8
TOKENS = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "a", "b", "ab"]
SHAPES = {
    "token_embd": (len(TOKENS), HIDDEN),
    "output_norm": (HIDDEN,),
    "blk.0.attn_norm": (HIDDEN,),
    "blk.0.attn_q": (HEADS * HEAD, HIDDEN),
    "blk.0.attn_k": (KV_HEADS * HEAD, HIDDEN),
    "blk.0.attn_v": (KV_HEADS * HEAD, HIDDEN),
    "blk.0.attn_output": (HIDDEN, HEADS * HEAD),
    "blk.0.ffn_norm": (HIDDEN,),
    "blk.0.ffn_gate": (64, HIDDEN),
    "blk.0.ffn_up": (64, HIDDEN),
    "blk.0.ffn_down": (HIDDEN, 64),
}
Weights = dict[str, NDArray[np.float32]]


@pytest.fixture
def weights() -> Weights:
    random = np.random.default_rng(0)
    return {name: random.normal(size=shape).astype(np.float32) for name, shape in SHAPES.items()}


def packed(path: Path, weights: Weights, pre_tokenizer: str = "smollm") -> Path:
    writer = gguf.GGUFWriter(path, "llama")
    for name, number in {"block_count": 1, "context_length": 128, "embedding_length": HIDDEN}.items():
        getattr(writer, f"add_{name}")(number)
    writer.add_feed_forward_length(64)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KV_HEADS)
    writer.add_rope_dimension_count(HEAD)
    writer.add_rope_freq_base(100000.0)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_vocab_size(len(TOKENS))
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(pre_tokenizer)
    writer.add_token_list(TOKENS)
    writer.add_token_types([3, 3, 3, 1, 1, 1])
    writer.add_token_merges(["a b"])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_pad_token_id(2)
    writer.add_unk_token_id(0)
    writer.add_chat_template("{{ messages }}")
    for name, weight in weights.items():
        writer.add_tensor(f"{name}.weight", weight)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def test_every_weight_comes_back_in_place_and_in_order(weights: Weights, tmp_path: Path) -> None:
    from safetensors.torch import load_file

    unpack.unpack(packed(tmp_path / "tiny.gguf", weights), tmp_path / "model")
    found = load_file(tmp_path / "model" / "model.safetensors")
    assert len(found) == len(SHAPES)
    layer = "model.layers.0"
    # Row 1 of the first head is the partner of row 0 in llama.cpp, and stands half a head further on here.
    query = found[f"{layer}.self_attn.q_proj.weight"].float().numpy()
    assert np.allclose(query[HEAD // 2], weights["blk.0.attn_q"][1], rtol=2**-8)
    assert np.allclose(query[1], weights["blk.0.attn_q"][2], rtol=2**-8)
    key = found[f"{layer}.self_attn.k_proj.weight"].float().numpy()
    assert np.allclose(key[HEAD + HEAD // 2], weights["blk.0.attn_k"][HEAD + 1], rtol=2**-8)
    for theirs, ours in {"attn_v": "self_attn.v_proj", "ffn_down": "mlp.down_proj"}.items():
        weight = found[f"{layer}.{ours}.weight"].float().numpy()
        assert np.allclose(weight, weights[f"blk.0.{theirs}"], rtol=2**-8)


def test_rounding_is_torchs() -> None:
    import torch

    bits = np.random.default_rng(1).integers(0, 2**31, 10_000, dtype=np.uint32)
    numbers = np.append(bits.view(np.float32), np.array([1.00390625, 1.01171875, -0.0], np.float32))
    numbers = numbers[np.isfinite(numbers)]
    expected = torch.from_numpy(numbers).to(torch.bfloat16).view(torch.uint16).numpy()
    assert np.array_equal(unpack.to_bfloat16(numbers), expected)


def test_the_configuration_reads_as_it_was_meant(weights: Weights, tmp_path: Path) -> None:
    unpack.unpack(packed(tmp_path / "tiny.gguf", weights), tmp_path / "model")
    config = json.loads((tmp_path / "model" / "config.json").read_bytes())
    assert config["rms_norm_eps"] == 1e-5
    assert config["num_key_value_heads"] == KV_HEADS
    assert config["eos_token_id"] == 2
    assert config["rope_parameters"]["rope_theta"] == 100000


def test_another_kind_of_gguf_is_refused(weights: Weights, tmp_path: Path) -> None:
    with pytest.raises(BaseModelFault, match="qwen2"):
        unpack.unpack(packed(tmp_path / "tiny.gguf", weights, "qwen2"), tmp_path / "model")
    assert not (tmp_path / "model").exists()
