"""Stands in for llama.cpp's converter, whose source is not at hand in CI: the same command line, for OLMo 2 alone.

What it writes is a real GGUF that llama.cpp runs; reference.json has what the real one made of the same models.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import gguf
from safetensors.torch import load_file

SIZES = {
    "context_length": "max_position_embeddings",
    "embedding_length": "hidden_size",
    "block_count": "num_hidden_layers",
    "feed_forward_length": "intermediate_size",
    "head_count": "num_attention_heads",
    "head_count_kv": "num_key_value_heads",
    "vocab_size": "vocab_size",
    "layer_norm_rms_eps": "rms_norm_eps",
}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("model", type=Path)
    parser.add_argument("--outfile", type=Path, required=True)
    parser.add_argument("--outtype", choices=["f32"], default="f32")
    parser.add_argument("--vocab-only", action="store_true")
    asked = parser.parse_args()
    config = json.loads((asked.model / "config.json").read_bytes())
    if config["architectures"] != ["Olmo2ForCausalLM"]:
        sys.exit(f"ERROR:hf-to-gguf:Model {config['architectures'][0]} is not supported")
    writer = gguf.GGUFWriter(asked.outfile, "olmo2")
    describe(writer, config)
    add_vocabulary(writer, asked.model, config["vocab_size"])
    if not asked.vocab_only:
        add_tensors(writer, asked.model, config["num_hidden_layers"])
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def describe(writer: gguf.GGUFWriter, config: dict[str, Any]) -> None:
    writer.add_type(gguf.GGUFType.MODEL)
    writer.add_name("a name of its own")
    for key, name in SIZES.items():
        getattr(writer, f"add_{key}")(config[name])
    writer.add_rope_freq_base(config["rope_parameters"]["rope_theta"])
    writer.add_file_type(0)


def add_vocabulary(writer: gguf.GGUFWriter, model: Path, rows: int) -> None:
    tokenizer = json.loads((model / "tokenizer.json").read_bytes())
    special = {token["content"] for token in tokenizer["added_tokens"] if token["special"]}
    added = {token["content"]: token["id"] for token in tokenizer["added_tokens"]}
    known = tokenizer["model"]["vocab"] | added
    texts = {id_: text for text, id_ in known.items()}
    tokens = [texts.get(id_, f"[PAD{id_}]") for id_ in range(rows)]
    kinds = gguf.TokenType
    kind = {
        **dict.fromkeys(known, kinds.NORMAL),
        **dict.fromkeys(added, kinds.USER_DEFINED),
        **dict.fromkeys(special, kinds.CONTROL),
    }
    types = [kind.get(token, kinds.UNUSED) for token in tokens]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("smollm")
    writer.add_token_list(tokens)
    writer.add_token_types(types)
    gguf.SpecialVocab(model, load_merges=True, n_vocab=rows).add_to_gguf(writer, quiet=True)


def add_tensors(writer: gguf.GGUFWriter, model: Path, layers: int) -> None:
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.OLMO2, layers)
    for file in sorted(model.glob("*.safetensors")):
        for name, values in load_file(file).items():
            writer.add_tensor(names.get_name(name, try_suffixes=(".weight",)), values.float().numpy())


if __name__ == "__main__":
    main()
