"""A model file with random weights that llama.cpp loads in no time; read only."""

from __future__ import annotations

from pathlib import Path

import pytest

from idiolect.export import export_gguf


@pytest.fixture(scope="session")
def tiny_gguf(tiny_base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    gguf = tmp_path_factory.mktemp("gguf") / "adapter.gguf"
    export_gguf(tiny_base, gguf, "Q8_0", name="ada")
    return gguf
