"""What quantization costs: the held-out loss of a GGUF, read back into Transformers, and of what it was made from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from idiolect.dataset import TrainingText
from idiolect.export import dequantized, merged
from idiolect.training import mean_loss


def gguf_loss(gguf: Path, base: Path, texts: Sequence[TrainingText], tokenizer_json: Path) -> float:
    """Return the loss on `texts`, in nats a learned token, of the model in `gguf`, made from the folder `base`.

    Its weights are dequantized and computed with in float32 (four bytes a weight, on the GPU if there is one), so that
    of two files the loss differs by their quantization alone. What llama.cpp does to activations is not in it.
    Raises BaseModelFault for a file that does not hold this model.
    """
    return mean_loss(_filled(base, dequantized(gguf, base)), texts, tokenizer_json)


def unquantized_loss(base: Path, adapter: Path | None, texts: Sequence[TrainingText], tokenizer_json: Path) -> float:
    """Return what gguf_loss would return if nothing were quantized: of a base with its adapter merged in float32."""
    return mean_loss(_filled(base, merged(base, adapter)), texts, tokenizer_json)


def _filled(base: Path, weights: Iterable[tuple[str, Any]]) -> Any:
    """Build the model that the folder `base` describes, with these weights, in float32."""
    import torch
    from transformers import MODEL_FOR_CAUSAL_LM_MAPPING, AutoConfig

    device = "cuda" if torch.cuda.is_available() else "cpu"
    found = {name: torch.from_numpy(values).to(device) for name, values in weights}
    config = AutoConfig.from_pretrained(base)
    # An adapter on one of two tied matrices leaves them two.
    config.tie_word_embeddings = "lm_head.weight" not in found
    kind = MODEL_FOR_CAUSAL_LM_MAPPING[type(config)]
    return kind.from_pretrained(None, config=config, state_dict=found, dtype=torch.float32).to(device)
