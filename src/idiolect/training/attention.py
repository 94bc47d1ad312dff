"""Attention within each sample of a fused row, on a CPU: what one sample would see of another is never computed.

A mask over the whole row makes attention dense: over a row of six samples it costs about six times what it costs
within them. PyTorch's own kernels without a mask lose on sequences of some hundred tokens what they save
(docs/performance.md).
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import torch
from torch.nn.functional import dropout as drop
from torch.nn.functional import softmax
from transformers import AttentionInterface, AttentionMaskInterface

#: As what Transformers knows it: `attn_implementation=BY_SAMPLE`.
BY_SAMPLE = "idiolect_by_sample"


def attend_by_sample(  # noqa: PLR0913 - the signature that Transformers calls
    _module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    _mask: torch.Tensor | None,
    scaling: float,
    dropout: float = 0.0,
    *,
    position_ids: torch.Tensor,
    sliding_window: int | None = None,
    **_: Any,
) -> tuple[torch.Tensor, None]:
    """Attend causally, starting anew where positions do.

    `query` is (1, heads, tokens, head size), `key` and `value` (1, key heads, tokens, head size), `position_ids`
    (1, tokens); returns (1, tokens, heads, head size).
    """
    lengths = sample_lengths(position_ids)
    window = sliding_window if sliding_window and sliding_window < max(lengths) else None
    mask = _hidden(1 << (max(lengths) - 1).bit_length(), window, query.dtype)
    samples = zip(*(part[0].split(lengths, 1) for part in (query * scaling, key, value)), strict=True)
    seen = [_within(q, k, v, mask, dropout) for q, k, v in samples]
    return torch.cat(seen)[None], None


def sample_lengths(position_ids: torch.Tensor) -> list[int]:
    """Return the lengths of the samples of one row, (1, tokens): each starts at position 0."""
    starts = (position_ids[0] == 0).nonzero()[:, 0].tolist()
    return [end - start for start, end in zip(starts, [*starts[1:], position_ids.shape[1]], strict=True)]


def _within(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, mask: torch.Tensor, dropout: float
) -> torch.Tensor:
    """Attend within one sample, (heads, tokens, head size) each, queries scaled; return (tokens, heads, head size).

    The queries that share a key head are laid below each other, so that keys and values are not repeated.
    """
    heads, tokens, size = query.shape
    key_heads = key.shape[0]
    scores = query.reshape(key_heads, -1, size) @ key.transpose(1, 2)
    scores = scores.view(key_heads, -1, tokens, tokens) + mask[:tokens, :tokens]
    weights = drop(softmax(scores, -1, dtype=torch.float32).to(query.dtype), dropout)
    return (weights.view(key_heads, -1, tokens) @ value).view(heads, tokens, size).transpose(0, 1)


@lru_cache(maxsize=8)
def _hidden(tokens: int, window: int | None, dtype: torch.dtype) -> torch.Tensor:
    """Return (tokens, tokens): 0 where a row's token sees a column's, minus infinity elsewhere."""
    hidden = torch.full((tokens, tokens), float("-inf"), dtype=dtype)
    return hidden.triu(1) if window is None else hidden.triu(1) + hidden.tril(-window)


def _no_mask(*_: Any, **__: Any) -> None:
    """Stand where Transformers builds a mask from the positions; attend_by_sample reads those itself."""


def register() -> None:
    """Let Transformers know it, as `attn_implementation=BY_SAMPLE`."""
    AttentionInterface.register(BY_SAMPLE, attend_by_sample)
    AttentionMaskInterface.register(BY_SAMPLE, _no_mask)
