from __future__ import annotations

from pathlib import Path

import pytest
import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM

from idiolect.training.dropout import QuickDropout, chosen, quicken_dropout


@pytest.mark.parametrize("share", [0.05, 0.5])
def test_it_drops_its_share_and_scales_the_rest(share: float) -> None:
    torch.manual_seed(0)
    x = torch.rand(1001, 1003) + 1
    x.requires_grad_()
    y = QuickDropout(share)(x)
    zeros = y == 0
    assert zeros.float().mean().item() == pytest.approx(share, abs=2e-3)
    assert zeros.float().mean(0).max() < share + 0.1
    torch.testing.assert_close(y[~zeros], x[~zeros] / (1 - share))
    y.sum().backward()
    assert x.grad is not None
    torch.testing.assert_close(x.grad, torch.where(zeros, 0, 1 / (1 - share)))


def test_neighbours_are_dropped_independently() -> None:
    torch.manual_seed(0)
    mask = chosen(torch.Size((4_000_000,)), 0.25).view(-1, 4)
    together = mask.float().T.cov()
    torch.testing.assert_close(together, torch.eye(4) * 0.25 * 0.75, atol=2e-3, rtol=0)


def test_the_seed_decides_and_evaluation_drops_nothing() -> None:
    dropout, x = QuickDropout(0.5), torch.ones(100)
    first, second = (torch.manual_seed(7) and dropout(x) for _ in range(2))
    assert torch.equal(first, second)
    assert not torch.equal(first, dropout(x))
    assert torch.equal(dropout.eval()(x), x)


def test_every_adapter_of_a_model_gets_it(tiny_base: Path) -> None:
    config = LoraConfig(task_type="CAUSAL_LM", target_modules="all-linear", lora_dropout=0.05)
    model = get_peft_model(AutoModelForCausalLM.from_pretrained(tiny_base), config)
    quicken_dropout(model)
    found = [m for m in model.modules() if isinstance(m, torch.nn.Dropout)]
    assert len(found) == 14
    assert all(type(m) is QuickDropout and m.p == 0.05 for m in found)
