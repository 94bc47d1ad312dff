from __future__ import annotations

from pathlib import Path

import torch
from transformers import AutoModelForCausalLM

from idiolect.training.noise import Noise


def test_noise_is_as_large_as_a_samples_own_length_asks_for_and_only_while_training(tiny_base: Path) -> None:
    model = AutoModelForCausalLM.from_pretrained(tiny_base, dtype=torch.float32).train()
    embeddings = model.get_input_embeddings()
    tokens = torch.arange(40)[None]
    plain = embeddings(tokens)
    noise = Noise(model, alpha=5.0)
    noise.expect(torch.tensor([[*range(8), *range(32)]]))
    torch.manual_seed(0)
    added = (embeddings(tokens) - plain)[0].detach().abs()
    for part, length in ((added[:8], 8), (added[8:], 32)):
        most = 5.0 / (length * 64) ** 0.5
        assert 0.98 * most < float(part.max()) <= most + 1e-6
        assert 0.45 * most < float(part.mean()) < 0.55 * most
    model.eval()
    assert embeddings(tokens).equal(plain)
