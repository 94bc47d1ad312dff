"""What is known about each model family that can be exported. A new dense family is a new entry here.

Names on the left are those of Transformers' checkpoints; shapes are (rows, columns) in terms of
`Configuration.sizes`. GGUF names come from gguf's own TensorNameMap, by `gguf_name`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

Shape = tuple[str, ...]

MODEL_TENSORS: Mapping[str, Shape] = {
    "model.embed_tokens.weight": ("vocabulary", "hidden"),
    "model.norm.weight": ("hidden",),
}
OUTPUT = "lm_head.weight"
OUTPUT_SHAPE: Shape = ("vocabulary", "hidden")

LAYER_TENSORS: Mapping[str, Shape] = {
    "input_layernorm.weight": ("hidden",),
    "self_attn.q_proj.weight": ("queries", "hidden"),
    "self_attn.k_proj.weight": ("keys", "hidden"),
    "self_attn.v_proj.weight": ("keys", "hidden"),
    "self_attn.o_proj.weight": ("hidden", "queries"),
    "post_attention_layernorm.weight": ("hidden",),
    "mlp.gate_proj.weight": ("feed_forward", "hidden"),
    "mlp.up_proj.weight": ("feed_forward", "hidden"),
    "mlp.down_proj.weight": ("hidden", "feed_forward"),
}
QUERY_KEY_VALUE_BIASES: Mapping[str, Shape] = {
    "self_attn.q_proj.bias": ("queries",),
    "self_attn.k_proj.bias": ("keys",),
    "self_attn.v_proj.bias": ("keys",),
}
OTHER_BIASES: Mapping[str, Shape] = {
    "self_attn.o_proj.bias": ("hidden",),
    "mlp.gate_proj.bias": ("feed_forward",),
    "mlp.up_proj.bias": ("feed_forward",),
    "mlp.down_proj.bias": ("hidden",),
}
HEAD_NORMS: Mapping[str, Shape] = {
    "self_attn.q_norm.weight": ("head",),
    "self_attn.k_norm.weight": ("head",),
}

# Old checkpoints carry this constant; every program computes it anew.
IGNORED_SUFFIX = ".rotary_emb.inv_freq"


@dataclass(frozen=True)
class Architecture:
    """One family: `layer` is in every layer, `optional` may be."""

    gguf_name: str
    layer: Mapping[str, Shape]
    optional: Mapping[str, Shape] = field(default_factory=dict)
    # Modules whose rows llama.cpp keeps in its own order, with the count of heads that they divide into: the
    # two rows that rotary embedding turns as one stand side by side, and half a head apart in Transformers.
    reordered: Mapping[str, str] = field(default_factory=dict)
    rope_kinds: tuple[str, ...] = ("default", "linear", "yarn")
    layers_of_70b: int | None = None  # see policy.ModelShape


LLAMA = Architecture(
    gguf_name="llama",
    layer=LAYER_TENSORS,
    optional={**QUERY_KEY_VALUE_BIASES, **OTHER_BIASES},
    reordered={"self_attn.q_proj": "heads", "self_attn.k_proj": "key_heads"},
    rope_kinds=("default", "linear", "llama3", "yarn"),
    layers_of_70b=80,
)

ARCHITECTURES: Mapping[str, Architecture] = {
    "LlamaForCausalLM": LLAMA,
    # llama.cpp runs Mistral as a Llama; a sliding window (the 7B of 2023 only) is not carried over.
    "MistralForCausalLM": LLAMA,
    "Qwen2ForCausalLM": Architecture(
        gguf_name="qwen2", layer={**LAYER_TENSORS, **QUERY_KEY_VALUE_BIASES}, layers_of_70b=80
    ),
    "Qwen3ForCausalLM": Architecture(gguf_name="qwen3", layer={**LAYER_TENSORS, **HEAD_NORMS}),
}
