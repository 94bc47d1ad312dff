"""Which model file to take: the smallest that loses little enough; one that is made to be looked at is gone again."""

from __future__ import annotations

from pathlib import Path

import pytest

from idiolect.evaluation import ModelFile, advice
from idiolect.evaluation.model_files import Quantized, smallest
from tests.evaluation.conftest import loss

FILES = [
    Quantized(quantization="Q4_K_M", bytes=105_000_000, loss=loss(3.76, 3.80)),
    Quantized(quantization="Q6_K", bytes=138_000_000, loss=loss(3.76, 3.765)),
]


@pytest.mark.parametrize(("most", "taken"), [(0.05, "Q4_K_M"), (0.02, "Q6_K"), (0.001, None)])
def test_the_smallest_file_within_the_distance_is_taken(most: float, taken: str | None) -> None:
    found = smallest(FILES, most)
    assert (found.quantization if found else None) == taken


def test_advice_says_how_to_get_another_file_than_the_one_that_is_there() -> None:
    said = advice(FILES, 0.02, "Q4_K_M", "the-run")
    assert "Q4_K_M (105 MB) 0.040, Q6_K (138 MB) 0.005; the smallest within 0.02 is Q6_K" in said
    assert "idiolect export --run the-run --quantization Q6_K" in said
    assert "idiolect export" not in advice(FILES, 0.05, "Q4_K_M", "the-run")
    assert "none stays within 0.001; nearest is Q6_K" in advice(FILES, 0.001, "Q4_K_M", "the-run")
    assert not advice([], 0.02, "Q4_K_M", "the-run")


def test_a_file_that_was_there_stays_and_one_that_was_made_goes(tmp_path: Path) -> None:
    there, made = tmp_path / "there.gguf", tmp_path / ".Q6_K.partial"
    there.write_bytes(b"x")
    with ModelFile("Q4_K_M", there).at_hand() as path:
        assert path == there
    assert there.exists()
    other = ModelFile("Q6_K", made, lambda path: path.write_bytes(b"GGUF"))
    with other.at_hand() as path:
        assert path.read_bytes() == b"GGUF"
    assert not made.exists()
