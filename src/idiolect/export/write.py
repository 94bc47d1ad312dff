"""The file itself: header, vocabulary and tensor list by gguf's own writer, then the stream of tensors."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import gguf
import numpy as np

from idiolect import files
from idiolect.export import ExportSummary, ggml, plan, policy, stream
from idiolect.export.configuration import Configuration
from idiolect.export.disk import room_for
from idiolect.export.plan import Plan, PlannedTensor
from idiolect.export.rope import ORIGINAL_CONTEXT
from idiolect.export.vocabulary import Vocabulary

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Header:
    """What a file says of itself that does not follow from its weights; `keys` are whole numbers and floats."""

    name: str
    chat_template: str | None
    keys: Mapping[str, float]


def written(chosen: Plan, target: Path, header: Header, on_progress: Progress | None) -> ExportSummary:
    """Write the planned file; see export_gguf."""
    ggml.library()
    with room_for(target, plan.estimated_bytes(chosen)), files.whole(target) as partial:
        writer = gguf.GGUFWriter(partial, chosen.configuration.architecture.gguf_name)
        try:
            _describe(writer, chosen, header.name)
            add_keys(writer, header.keys)
            add_vocabulary(writer, chosen.vocabulary, header.chat_template)
            write_tensors(writer, chosen.quantization, chosen.tensors, on_progress)
        finally:
            writer.close()
    return ExportSummary(
        bytes=target.stat().st_size,
        tensors=len(chosen.tensors),
        types=dict(Counter(tensor.type for tensor in chosen.tensors)),
    )


def _describe(writer: gguf.GGUFWriter, chosen: Plan, name: str) -> None:
    """Add the general keys and those of the architecture (llama.cpp's docs/gguf specification)."""
    config = chosen.configuration
    sizes = config.sizes
    writer.add_type(gguf.GGUFType.MODEL)
    writer.add_name(name)
    writer.add_vocab_size(sizes["vocabulary"])
    writer.add_context_length(sizes["context"])
    writer.add_embedding_length(sizes["hidden"])
    writer.add_block_count(sizes["layers"])
    writer.add_feed_forward_length(sizes["feed_forward"])
    writer.add_head_count(sizes["heads"])
    writer.add_head_count_kv(sizes["key_heads"])
    writer.add_key_length(sizes["head"])
    writer.add_value_length(sizes["head"])
    writer.add_layer_norm_rms_eps(config.norm_epsilon)
    if config.window is not None:
        writer.add_sliding_window(config.window)
    if config.softcap:
        writer.add_final_logit_softcapping(config.softcap)
    _add_rope(writer, config)


def add_keys(writer: gguf.GGUFWriter, keys: Mapping[str, float]) -> None:
    """Add further keys, whole numbers as int32 and others as float32."""
    for key, value in keys.items():
        (writer.add_int32 if isinstance(value, int) else writer.add_float32)(key, value)


def _add_rope(writer: gguf.GGUFWriter, config: Configuration) -> None:
    rope = config.rope
    writer.add_rope_dimension_count(rope.rotated)
    writer.add_rope_freq_base(rope.base)
    if rope.local_base:
        writer.add_rope_freq_base_swa(rope.local_base)
    if rope.kind in {"linear", "yarn"}:
        writer.add_rope_scaling_type(gguf.RopeScalingType(rope.kind))
        writer.add_rope_scaling_factor(rope.numbers["factor"])
    if rope.kind in {"yarn", "longrope"}:
        writer.add_rope_scaling_orig_ctx_len(int(rope.numbers[ORIGINAL_CONTEXT]))
    if rope.kind == "longrope":
        writer.add_rope_scaling_attn_factors(rope.attention_factor)


def add_vocabulary(writer: gguf.GGUFWriter, vocabulary: Vocabulary, chat_template: str | None) -> None:
    """Add the tokenizer's keys, and the chat template in place of the base's own."""
    writer.add_tokenizer_model(vocabulary.model)
    writer.add_tokenizer_pre(vocabulary.pre_tokenizer)
    writer.add_token_list(vocabulary.tokens)
    writer.add_token_types(vocabulary.types)
    if vocabulary.scores is not None:
        writer.add_token_scores(vocabulary.scores)
    if vocabulary.space_prefix is not None:
        writer.add_add_space_prefix(vocabulary.space_prefix)
    special = gguf.SpecialVocab(
        vocabulary.folder, load_merges=vocabulary.scores is None, n_vocab=len(vocabulary.tokens)
    )
    # Said even when it is no: with some pre-tokenizers llama.cpp puts BOS before any text unless told not to.
    special.add_special_token.setdefault("bos", False)
    if chat_template is not None:
        special.chat_template = chat_template
    special.add_to_gguf(writer, quiet=True)


def write_tensors(
    writer: gguf.GGUFWriter, quantization: str, tensors: Iterable[PlannedTensor], on_progress: Progress | None
) -> None:
    """Write header, keys and the stream of tensors, and tell the bytes of tensors written so far and in all.

    All in the order in which `llama-quantize FILE FILE COPY` writes a file, so that it changes no byte of ours: Ollama
    copies what it imports in that way, and stores a file again that comes out otherwise. The order is that of
    llama.cpp's src/llama-quant.cpp (it sets these two keys last) and src/llama-model-loader.h (weight_name_comparer).
    """
    writer.add_quantization_version(gguf.GGML_QUANT_VERSION)
    writer.add_file_type(policy.MIXTURES[quantization].file_type)
    tensors = sorted(tensors, key=lambda tensor: policy.layer_order(tensor.name))
    for tensor in tensors:
        kind = gguf.GGMLQuantizationType[tensor.type]
        writer.add_tensor_info(tensor.name, _stated(tensor.shape), np.dtype(np.float32), tensor.nbytes, kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    (out,) = writer.fout
    writer.write_padding(out, out.tell())
    total, done = sum(tensor.nbytes for tensor in tensors), 0
    for slab, data in stream.encoded(tensors):
        out.write(data)
        done += data.nbytes
        if slab.is_last:
            writer.write_padding(out, slab.tensor.nbytes)
        if on_progress is not None:
            on_progress(done, total)


def _stated(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Leave out the outermost dimensions of one, as ggml does (ggml_n_dims)."""
    first = next((at for at, size in enumerate(shape) if size != 1), len(shape) - 1)
    return shape[first:]
