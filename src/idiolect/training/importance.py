"""The importance matrix of llama.cpp: how much each column of each matrix is used when the person's texts are read.

For every linear layer the mean, over all tokens, of its inputs' squares; as tools/imatrix in llama.cpp collects them.
The output matrix is left out there, and here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial

import torch

ADAPTED = ".base_layer"  # PEFT's name for the layer under an adapter

#: Layer → the sum of its inputs' squares (columns,), float32, and of how many tokens.
Heard = dict[str, tuple[torch.Tensor, int]]


@contextmanager
def listening(model: torch.nn.Module) -> Iterator[Heard]:
    """Yield what goes into each linear layer of a model while the block runs, by the layer's name in the checkpoint."""
    heard: Heard = {}
    layers = _linear_layers(model)
    hooks = [layer.register_forward_pre_hook(partial(_add, heard, name)) for name, layer in layers.items()]
    try:
        yield heard
    finally:
        for hook in hooks:
            hook.remove()


def means(parts: Sequence[Heard]) -> dict[str, torch.Tensor]:
    """Return the mean squares of what several processes heard, by the names of weights."""
    found = {}
    for name in parts[0]:
        total = torch.stack([part[name][0] for part in parts]).sum(dim=0)
        found[f"{name}.weight"] = total / sum(part[name][1] for part in parts)
    return found


def _linear_layers(model: torch.nn.Module) -> dict[str, torch.nn.Linear]:
    found = {}
    for name, module in model.named_modules():
        plain = name.removeprefix("base_model.model.").removesuffix(ADAPTED)
        if isinstance(module, torch.nn.Linear) and ".lora_" not in name and plain != "lm_head":
            found[plain] = module
    return found


def _add(heard: Heard, name: str, _: torch.nn.Module, given: tuple[torch.Tensor, ...]) -> None:
    inputs = given[0].detach().float().flatten(end_dim=-2)
    total, tokens = heard.get(name, (torch.zeros(inputs.shape[-1]), 0))
    heard[name] = total + inputs.square().sum(dim=0).cpu(), tokens + len(inputs)
