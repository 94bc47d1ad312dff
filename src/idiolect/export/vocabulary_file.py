"""A model file with a base's vocabulary and chat template but next to no weights: it shows how a model will be asked.

llama.cpp loads it in a second, renders and cuts prompts as it will from the trained model, and says what it stops at.
"""

from __future__ import annotations

from pathlib import Path

import gguf
import numpy as np

from idiolect import files
from idiolect.export import vocabulary, write
from idiolect.export.configuration import json_object

#: The least that llama.cpp takes for a Llama of one layer.
_WIDTH = 32
_LAYER = {
    "attn_norm": (_WIDTH,),
    "attn_q": (_WIDTH, _WIDTH),
    "attn_k": (_WIDTH, _WIDTH),
    "attn_v": (_WIDTH, _WIDTH),
    "attn_output": (_WIDTH, _WIDTH),
    "ffn_norm": (_WIDTH,),
    "ffn_gate": (_WIDTH, _WIDTH),
    "ffn_up": (_WIDTH, _WIDTH),
    "ffn_down": (_WIDTH, _WIDTH),
}


def write_vocabulary(base: Path, target: Path, chat_template: str) -> None:
    """Write the file. Raises BaseModelFault for a tokenizer that llama.cpp would not cut text with in the same way."""
    words = vocabulary.read(base, _rows(base))
    with files.whole(target) as partial:
        writer = gguf.GGUFWriter(partial, "llama")
        try:
            writer.add_context_length(1 << 20)
            writer.add_embedding_length(_WIDTH)
            writer.add_block_count(1)
            writer.add_feed_forward_length(_WIDTH)
            writer.add_head_count(1)
            writer.add_layer_norm_rms_eps(1e-6)
            writer.add_vocab_size(len(words.tokens))
            write.add_vocabulary(writer, words, chat_template)
            writer.add_tensor("token_embd.weight", np.zeros((len(words.tokens), _WIDTH), dtype=np.float16))
            writer.add_tensor("output_norm.weight", np.ones(_WIDTH, dtype=np.float32))
            for name, shape in _LAYER.items():
                writer.add_tensor(f"blk.0.{name}.weight", np.zeros(shape, dtype=np.float32))
            writer.write_header_to_file()
            writer.write_kv_data_to_file()
            writer.write_tensors_to_file()
        finally:
            writer.close()


def _rows(base: Path) -> int:
    """Return how many tokens a tokenizer has: no model's embedding has fewer rows."""
    tokenizer = json_object(base / "tokenizer.json")
    added = [token["id"] for token in tokenizer.get("added_tokens") or []]
    return int(max([*tokenizer.get("model", {}).get("vocab", {"": 0}).values(), *added])) + 1
