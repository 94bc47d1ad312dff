"""NEFTune: uniform noise on the embeddings while training (Jain et al. 2023, arXiv 2310.05914).

Its size depends on the length of a sample, so that Transformers' own, which takes that of the row, would change with
what a sample is fused with.
"""

from __future__ import annotations

from typing import Any

import torch


class Noise:
    """Adds up to alpha / sqrt(tokens of the sample x width) to each number of an embedding."""

    def __init__(self, model: Any, alpha: float) -> None:
        self.alpha = alpha
        self.lengths = torch.ones(1, 1)
        model.get_input_embeddings().register_forward_hook(self._add)

    def expect(self, position_ids: torch.Tensor) -> None:
        """Say where the samples of the next row begin: at each position 0. `position_ids`: (1, tokens)."""
        number = (position_ids == 0).cumsum(-1) - 1
        self.lengths = torch.bincount(number[0])[number]

    def _add(self, embeddings: torch.nn.Module, _: Any, made: torch.Tensor) -> torch.Tensor:
        if not embeddings.training:
            return made
        size = self.alpha / (self.lengths * made.shape[-1]).sqrt().unsqueeze(-1)
        return made + (torch.rand_like(made, dtype=torch.float32) * 2 - 1).mul(size).to(made.dtype)
