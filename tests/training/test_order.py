from __future__ import annotations

from collections import Counter

import pytest

from idiolect.dataset import TokenizedSample
from idiolect.training.order import Order, learned_from

SAMPLES = [TokenizedSample(f"{n}", (1, 2), (False, True)) for n in range(35)]


def test_each_epoch_has_all_samples_in_another_order() -> None:
    order = Order(35, 16, seed=1)
    epochs = []
    for epoch in range(3):
        order.set_epoch(epoch)
        steps = list(order)
        assert [len(s) for s in steps] == [16, 16, 3]
        epochs.append([n for step in steps for n in step])
        assert sorted(epochs[-1]) == list(range(35))
    assert epochs[0] != epochs[1] != epochs[2]
    assert list(Order(35, 16, seed=1)) == Order(35, 16, seed=1).steps_of(0) != list(Order(35, 16, seed=2))


@pytest.mark.parametrize(("steps", "in_all"), [(0, 0), (1, 16), (3, 35), (5, 67), (6, 70)])
def test_how_often_a_sample_was_learned_from_follows_from_the_steps(steps: int, in_all: int) -> None:
    times = learned_from(SAMPLES, Order(35, 16, seed=1), steps)
    assert times.total() == in_all
    assert Counter(times.values()).keys() <= {steps // 3, steps // 3 + 1}
