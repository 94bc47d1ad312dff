"""Ours are those of torch and Transformers in float32, and in bfloat16 lose nothing on average."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from transformers.optimization import Adafactor as TheirAdafactor

from idiolect.training.optimizers import Adafactor, AdamW, round_by_chance

ADAM: dict[str, Any] = {"lr": 1e-2, "betas": (0.9, 0.999), "eps": 1e-8}


def walk(make: Callable[[list[Any]], Any], dtype: torch.dtype = torch.float32, steps: int = 20) -> list[torch.Tensor]:
    """Return a matrix and a vector after some steps with gradients that depend on them."""
    torch.manual_seed(0)
    weights = [torch.nn.Parameter(torch.randn(*size).to(dtype)) for size in ((24, 8), (8,))]
    wanted = [torch.randn_like(w) for w in weights]
    optimizer = make([{"params": weights, "weight_decay": 0.1}])
    for _ in range(steps):
        for weight, target in zip(weights, wanted, strict=True):
            weight.grad = (weight - target).detach() * torch.linspace(0.1, 3, weight.shape[-1]).to(dtype)
        optimizer.step()
    return [w.detach() for w in weights]


def test_adamw_is_that_of_torch() -> None:
    ours = walk(lambda p: AdamW(p, **ADAM, seed=1))
    theirs = walk(lambda p: torch.optim.AdamW(p, **ADAM))
    torch.testing.assert_close(ours, theirs)


def test_adafactor_is_that_of_transformers() -> None:
    ours = walk(lambda p: Adafactor(p, lr=1e-2, seed=1))
    theirs = walk(lambda p: TheirAdafactor(p, lr=1e-2, scale_parameter=False, relative_step=False))
    torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=1e-4)


def test_rounding_is_right_on_average_and_up_or_down_only() -> None:
    numbers = torch.tensor([1.001, -1.001, 3.14159, -1e-20, 0.0, 65535.9, 1.0])
    chance = torch.Generator().manual_seed(0)
    rounded = torch.stack([round_by_chance(numbers, chance).float() for _ in range(4000)])
    torch.testing.assert_close(rounded.mean(0), numbers, rtol=2e-4, atol=0)
    assert all(len(column.unique()) <= 2 for column in rounded.T)
    odd = torch.tensor([float("inf"), float("-inf"), float("nan")])
    assert round_by_chance(odd, chance).float().tolist()[:2] == [float("inf"), float("-inf")]
    assert round_by_chance(odd, chance)[2].isnan()


@pytest.mark.parametrize("kind", [AdamW, Adafactor])
def test_steps_too_small_for_bfloat16_are_not_lost(kind: Any) -> None:
    given: dict[str, Any] = {"betas": (0.9, 0.999), "eps": 1e-8} if kind is AdamW else {}
    weight = torch.nn.Parameter(torch.ones(64, 64, dtype=torch.bfloat16))
    optimizer = kind([weight], lr=1e-4, seed=1, **given)
    nearest = torch.ones(64, 64, dtype=torch.bfloat16)
    for _ in range(20):
        weight.grad = torch.ones_like(weight)
        optimizer.step()
        nearest -= 1e-4
    assert nearest.eq(1).all()
    assert float(weight.detach().float().mean()) == pytest.approx(1 - 20e-4, abs=2e-4)


@pytest.mark.parametrize("kind", [AdamW, Adafactor])
def test_states_come_back_as_they_were(kind: Any) -> None:
    given: dict[str, Any] = {"betas": (0.9, 0.999), "eps": 1e-8} if kind is AdamW else {}
    torch.manual_seed(0)
    gradients = [torch.randn(16, 8) for _ in range(6)]

    def go(weight: torch.nn.Parameter, optimizer: Any, these: list[torch.Tensor]) -> None:
        for gradient in these:
            weight.grad = gradient.to(torch.bfloat16)
            optimizer.step()

    whole = torch.nn.Parameter(torch.randn(16, 8, dtype=torch.bfloat16))
    stopped = torch.nn.Parameter(whole.detach().clone())
    go(whole, kind([whole], lr=1e-3, seed=1, **given), gradients)
    first = kind([stopped], lr=1e-3, seed=1, **given)
    go(stopped, first, gradients[:3])
    second = kind([stopped], lr=1e-3, seed=1, **given)
    second.load_state_dict(first.state_dict())
    go(stopped, second, gradients[3:])
    assert stopped.equal(whole)
