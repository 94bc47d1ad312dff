"""What is known about each model family that can be exported. A new dense family is a new entry here.

Names on the left are those of Transformers' checkpoints; shapes are (rows, columns) in terms of
`Configuration.sizes`. GGUF names come from gguf's own TensorNameMap, by `gguf_name`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Shape = tuple[str, ...]

EMBEDDING = "model.embed_tokens.weight"
MODEL_TENSORS: Mapping[str, Shape] = {
    EMBEDDING: ("vocabulary", "hidden"),
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
NORMS_AROUND_FEED_FORWARD: Mapping[str, Shape] = {
    "pre_feedforward_layernorm.weight": ("hidden",),
    "post_feedforward_layernorm.weight": ("hidden",),
}
# Queries, keys and values in one matrix, in this order, and gate and up in one.
FUSED_LAYER_TENSORS: Mapping[str, Shape] = {
    "input_layernorm.weight": ("hidden",),
    "self_attn.qkv_proj.weight": ("queries_keys_values", "hidden"),
    "self_attn.o_proj.weight": ("hidden", "queries"),
    "post_attention_layernorm.weight": ("hidden",),
    "mlp.gate_up_proj.weight": ("gate_up", "hidden"),
    "mlp.down_proj.weight": ("hidden", "feed_forward"),
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
    norm_offset: float = 0.0  # what the model adds to the weights of every norm, and llama.cpp does not
    activation: tuple[str, str] = ("hidden_act", "silu")
    # Keys that Transformers' class has a value for which is not that of most; files leave them out.
    defaults: Mapping[str, Any] = field(default_factory=dict)
    rope_kinds: tuple[str, ...] = ("default", "linear", "yarn")
    rotates_a_part: bool = False
    sees_all_every: int = 1  # of so many layers the last sees everything, the others as far as `sliding_window`
    has_window: bool = False  # llama.cpp wants to know of a sliding window
    softcaps: bool = False  # whether llama.cpp knows final_logit_softcapping
    same_scale: bool = False  # whether query_pre_attn_scalar must be what llama.cpp computes
    # Tokens that the tokenizer may have beyond the rows of the embedding: the text model never meets them.
    foreign_tokens: frozenset[str] = frozenset()
    # See policy.ModelShape. With `shared_70b` a model in which each head has keys of its own is none.
    layers_of_70b: int | None = None
    shared_70b: bool = False


LLAMA = Architecture(
    gguf_name="llama",
    layer=LAYER_TENSORS,
    optional={**QUERY_KEY_VALUE_BIASES, **OTHER_BIASES},
    reordered={"self_attn.q_proj": "heads", "self_attn.k_proj": "key_heads"},
    rope_kinds=("default", "linear", "llama3", "yarn"),
    layers_of_70b=80,
    shared_70b=True,
)

ARCHITECTURES: Mapping[str, Architecture] = {
    "Gemma3ForCausalLM": Architecture(
        gguf_name="gemma3",
        layer={**LAYER_TENSORS, **HEAD_NORMS, **NORMS_AROUND_FEED_FORWARD},
        norm_offset=1.0,
        activation=("hidden_activation", "gelu_pytorch_tanh"),
        defaults={
            "head_dim": 256,
            "hidden_activation": "gelu_pytorch_tanh",
            "max_position_embeddings": 131_072,
            "num_attention_heads": 8,
            "num_key_value_heads": 4,
            "query_pre_attn_scalar": 256,
            "rope_local_base_freq": 10_000.0,
            "rope_theta": 1_000_000.0,
            "sliding_window": 4096,
            "tie_word_embeddings": True,
            "vocab_size": 262_208,
        },
        rope_kinds=("default", "linear"),
        sees_all_every=6,
        has_window=True,
        softcaps=True,
        same_scale=True,
        foreign_tokens=frozenset({"<image_soft_token>"}),
    ),
    "LlamaForCausalLM": LLAMA,
    # llama.cpp runs Mistral as a Llama; a sliding window (the 7B of 2023 only) is not carried over.
    "MistralForCausalLM": LLAMA,
    # Of Phi-3's sliding window llama.cpp is told, and makes nothing of it: beyond it, it sees more than the model did.
    "Phi3ForCausalLM": Architecture(
        gguf_name="phi3",
        layer=FUSED_LAYER_TENSORS,
        defaults={"rms_norm_eps": 1e-5},
        rope_kinds=("default", "longrope"),
        rotates_a_part=True,
        has_window=True,
    ),
    "Qwen2ForCausalLM": Architecture(
        gguf_name="qwen2", layer={**LAYER_TENSORS, **QUERY_KEY_VALUE_BIASES}, layers_of_70b=80
    ),
    "Qwen3ForCausalLM": Architecture(
        gguf_name="qwen3", layer={**LAYER_TENSORS, **HEAD_NORMS}, defaults={"head_dim": 128}
    ),
}
