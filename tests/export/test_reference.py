"""Byte for byte what llama.cpp's own tools write; see reference.py."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from idiolect import export
from tests.export.reference import (
    RECIPES,
    REFERENCE,
    fingerprint,
    header,
    rope_freqs,
    write_adapter,
    write_base,
    write_importance,
)

Made = Callable[[str], tuple[Path, Path | None, Path | None]]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Return a function that gives the base, the adapter and the importance matrix of a recipe, made once."""
    done: dict[str, tuple[Path, Path | None, Path | None]] = {}

    def of(name: str) -> tuple[Path, Path | None, Path | None]:
        if name not in done:
            folder = tmp_path_factory.mktemp(name)
            base = write_base(name, folder / "base")
            adapter = write_adapter(name, base, folder / "adapter")
            done[name] = base, adapter, write_importance(name, base, folder / "importance.safetensors")
        return done[name]

    return of


STAND_IN = Path(__file__).parent / "stand_in"

# The fast ones: every family and every type once. The tallest models take the longest.
FAST = {(name, "Q4_K_M") for name in RECIPES if "80" not in name} | {
    ("llama", "Q5_K_M"),
    ("llama", "Q8_0"),
    ("qwen3", "Q6_K"),
}
CASES = [(name, quantization) for name, recipe in RECIPES.items() for quantization in recipe.quantizations]


@pytest.mark.parametrize(
    ("name", "quantization"), [pytest.param(*c, marks=[] if c in FAST else pytest.mark.slow) for c in CASES]
)
def test_types_and_bytes_are_those_of_llama_quantize(
    made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, quantization: str
) -> None:
    monkeypatch.setenv("LLAMA_CPP_DIR", str(STAND_IN))  # asked for what our families do not have
    base, adapter, importance = made(name)
    expected = json.loads(REFERENCE.read_bytes())["recipes"][name]
    export.export_gguf(base, tmp_path / "m.gguf", quantization, adapter=adapter, importance=importance, name="tiny")
    assert fingerprint(tmp_path / "m.gguf") == expected[quantization]
    assert header(tmp_path / "m.gguf") | expected["header"] == header(tmp_path / "m.gguf")
    assert rope_freqs(tmp_path / "m.gguf") == pytest.approx(expected["rope_freqs"], rel=1e-6)
