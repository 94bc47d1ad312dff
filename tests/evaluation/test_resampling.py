from __future__ import annotations

import random

import pytest

from idiolect.evaluation.resampling import mean, ratio, share


def test_an_interval_holds_the_truth_about_as_often_as_it_says() -> None:
    lot = random.Random(1)
    held = 0
    for _ in range(100):
        found = mean([lot.gauss(3.0, 1.0) for _ in range(40)])
        assert found.low < found.value < found.high
        held += found.low <= 3.0 <= found.high
    assert 88 <= held <= 99


def test_a_ratio_weighs_by_tokens_and_is_the_same_each_time() -> None:
    found = ratio([10.0, 300.0], [10.0, 100.0])
    assert found.value == pytest.approx(310 / 110)
    assert found == ratio([10.0, 300.0], [10.0, 100.0])


def test_samples_of_one_talk_count_as_one() -> None:
    """Ten days, each said ten times over: a hundred samples know no more than ten."""
    lot = random.Random(2)
    days = [lot.gauss(3.0, 1.0) for _ in range(10)]
    values, groups = [d for d in days for _ in range(10)], [str(n) for n in range(10) for _ in range(10)]
    apart, together = ratio(values, [1.0] * 100), ratio(values, [1.0] * 100, groups)
    assert apart.value == pytest.approx(together.value)
    assert together.high - together.low > 2 * (apart.high - apart.low)


def test_a_share_of_none_is_not_known_to_be_none() -> None:
    """Wilson's interval for 0 of 10, as published: 0 to 0.278."""
    none = share(0, 10)
    assert (none.value, none.low) == pytest.approx((0.0, 0.0))
    assert none.high == pytest.approx(0.2775, abs=1e-3)
    half = share(5, 10)
    assert (half.low, half.high) == pytest.approx((0.2366, 0.7634), abs=1e-3)
