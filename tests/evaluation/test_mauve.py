"""MAUVE is what its paper says it is, and too few texts have none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from idiolect.evaluation.mauve import TEXTS_AT_LEAST, area, beside_the_person, mauve


def test_the_same_shares_are_one_and_shares_apart_are_what_can_be_computed_by_hand() -> None:
    same = np.array([0.25, 0.75])
    assert area(same, same) == pytest.approx(1.0)
    # P and Q apart: the curve is (w^5, (1-w)^5), whose area is the beta integral 5 B(5, 6) = 1/252.
    assert area(np.array([1.0, 0.0]), np.array([0.0, 1.0])) == pytest.approx(1 / 252, abs=5e-4)
    assert 0.1 < area(np.array([0.2, 0.8]), np.array([0.8, 0.2])) < 0.9


def test_one_cloud_is_near_itself_and_far_from_another() -> None:
    lot = np.random.default_rng(1)
    here, there = (lot.normal(size=(400, 16)) for _ in range(2))
    assert mauve(here, there) > 0.9
    assert mauve(here, lot.normal(size=(400, 16)) + 2.0) < 0.1
    half = np.concatenate([there[:200], lot.normal(size=(200, 16)) + 2.0])
    assert 0.1 < mauve(here, half) < 0.9


def test_answers_are_seen_through_a_model_and_too_few_are_not(tiny_gguf: Path, tiny_base: Path) -> None:
    own = [f"I walked to the river, {n} times." for n in range(2 * TEXTS_AT_LEAST)]
    real, new = own[::2], [f"I walked to the river, {n} times." for n in range(1, 2 * TEXTS_AT_LEAST, 2)]
    base = [f"def walk(home): return {n}  # and back" for n in range(TEXTS_AT_LEAST)]
    said = {"base": base, "new": new, "real": real}
    found = beside_the_person(tiny_gguf, tiny_base / "tokenizer.json", said, own[1::2])
    assert found
    assert found["base"] < 0.2 < found["new"]
    few = {who: texts[: TEXTS_AT_LEAST - 1] for who, texts in said.items()}
    assert beside_the_person(tiny_gguf, tiny_base / "tokenizer.json", few, own) is None
