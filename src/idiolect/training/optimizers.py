"""AdamW and Adafactor for weights that are held in bfloat16, whole or sharded over several processes.

A bfloat16 has 8 significant bits: at a learning rate of 1e-5 nearly every update is smaller than half of the last one,
and rounding to the nearest number loses it. Here moments are kept and updates made in float32, and the new weight is
rounded up or down by chance, so that it is right on average (stochastic rounding: Gupta et al. 2015, arXiv
1502.02551). The choices follow from the seed and the number of the step alone: copies of a weight in several
processes stay equal, and a run that goes on makes those that it would have made.

States are plain tensors of this process' part of a weight.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import torch
from torch.distributed import ReduceOp, all_reduce
from torch.distributed.tensor import DTensor

_EPSILON = 1e-30


class _Rounding(torch.optim.Optimizer):
    """Walks over the weights; a subclass turns a gradient into a step of size 1 in float32."""

    def __init__(self, params: Iterable[Any], defaults: dict[str, Any], seed: int) -> None:
        super().__init__(params, {"lr": 1e-3, "weight_decay": 0.0, **defaults})
        self.seed = seed

    def step(self, closure: Any = None) -> None:  # noqa: ARG002 - the signature of torch's optimizers
        chance: dict[int, torch.Generator] = {}
        with torch.no_grad():
            for group in self.param_groups:
                for weight in group["params"]:
                    if weight.grad is not None:
                        self._move(weight, self.state[weight], group, chance)

    def _move(
        self, weight: torch.Tensor, state: dict[str, Any], group: dict[str, Any], chance: dict[int, torch.Generator]
    ) -> None:
        step = state["step"] = state.get("step", 0) + 1
        mine = _part(weight)
        new = mine.to(torch.float32, copy=True).mul_(1 - group["lr"] * group["weight_decay"])
        new.sub_(self.direction(weight, state, group), alpha=group["lr"])
        if mine.dtype == torch.bfloat16:
            if step not in chance:
                chance[step] = torch.Generator(mine.device).manual_seed(self.seed * 1_000_003 + step)
            new = round_by_chance(new, chance[step])
        mine.copy_(new)

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over states as they are: torch would turn them into the type of their weight."""
        super().load_state_dict(state_dict)
        weights = [weight for group in self.param_groups for weight in group["params"]]
        for number, state in state_dict["state"].items():
            device = _part(weights[number]).device
            kept = {k: v.to(device) if isinstance(v, torch.Tensor) else v for k, v in state.items()}
            self.state[weights[number]] = kept

    def direction(self, weight: torch.Tensor, state: dict[str, Any], group: dict[str, Any]) -> torch.Tensor:
        raise NotImplementedError


class AdamW(_Rounding):
    """Loshchilov & Hutter 2019 (arXiv 1711.05101), with both moments in float32."""

    def __init__(self, params: Iterable[Any], *, lr: float, betas: tuple[float, float], eps: float, seed: int) -> None:
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps}, seed)

    def direction(self, weight: torch.Tensor, state: dict[str, Any], group: dict[str, Any]) -> torch.Tensor:
        gradient = _part(weight.grad).float()
        first, second = group["betas"]
        mean = _kept(state, "mean", gradient).lerp_(gradient, 1 - first)
        square = _kept(state, "square", gradient).mul_(second).addcmul_(gradient, gradient, value=1 - second)
        root = square.sqrt().div_(math.sqrt(1 - second ** state["step"])).add_(group["eps"])
        return mean.div(root).div_(1 - first ** state["step"])


class Adafactor(_Rounding):
    """Shazeer & Stern 2018 (arXiv 1804.04235) with a learning rate that is given: no relative step, no scaling.

    Of a matrix only the means of rows and columns of the squared gradient are kept: almost no memory.
    """

    def __init__(self, params: Iterable[Any], *, lr: float, seed: int) -> None:
        super().__init__(params, {"lr": lr, "decay": -0.8, "clip": 1.0}, seed)

    def direction(self, weight: torch.Tensor, state: dict[str, Any], group: dict[str, Any]) -> torch.Tensor:
        gradient, total = _part(weight.grad).float(), _Sum(weight)
        new = state["step"] ** group["decay"]
        square = gradient.square() + _EPSILON
        if gradient.ndim != 2:
            update = gradient * _kept(state, "square", square).lerp_(square, new).rsqrt()
        else:
            rows, columns = square.mean(-1), total(square.sum(-2)) / total.rows
            rows = _kept(state, "rows", rows).lerp_(rows, new)
            columns = _kept(state, "columns", columns).lerp_(columns, new)
            mean_row = total(rows.sum(-1, keepdim=True)) / total.rows
            update = gradient * (rows / mean_row).rsqrt().unsqueeze(-1) * columns.rsqrt().unsqueeze(-2)
        rms = (total(update.square().sum()) / total.numbers).sqrt()
        return update / (rms / group["clip"]).clamp(min=1.0)


class _Sum:
    """Adds up over all parts of a weight that is sharded by its rows."""

    def __init__(self, weight: torch.Tensor) -> None:
        self.mesh = weight.device_mesh if isinstance(weight, DTensor) else None
        self.numbers = weight.numel()
        self.rows = len(weight)

    def __call__(self, of_this_part: torch.Tensor) -> torch.Tensor:
        if self.mesh:
            all_reduce(of_this_part, ReduceOp.SUM, self.mesh.get_group())
        return of_this_part


def round_by_chance(numbers: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Round float32 to bfloat16, up with the probability of the distance to the lower neighbour.

    Of 32 bits the lower 16 are cut off, after a random number of 16 bits was added to them. Infinities stay.
    """
    bits = torch.empty_like(numbers, dtype=torch.int32).random_(0, 1 << 16, generator=generator)
    bits.add_(numbers.view(torch.int32)).bitwise_and_(-1 << 16)
    return bits.view(torch.float32).to(torch.bfloat16)


def _kept(state: dict[str, Any], name: str, like: torch.Tensor) -> torch.Tensor:
    if name not in state:
        state[name] = torch.zeros_like(like)
    kept: torch.Tensor = state[name]
    return kept


def _part(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.to_local() if isinstance(tensor, DTensor) else tensor
