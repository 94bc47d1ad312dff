"""A file read back is the model that it was made from, whatever the family."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from safetensors.torch import load_file

from idiolect import export


@pytest.mark.parametrize("name", ["gemma3", "llama", "llama-tied", "llama-biased", "mistral", "phi3", "qwen2", "qwen3"])
def test_what_is_read_back_is_the_checkpoint(bases: Mapping[str, Path], tmp_path: Path, name: str) -> None:
    stored = {n: t.float().numpy() for f in bases[name].glob("*.safetensors") for n, t in load_file(f).items()}
    export.export_gguf(bases[name], tmp_path / "m.gguf", "F16", name="tiny")
    found = dict(export.dequantized(tmp_path / "m.gguf", bases[name]))
    assert found.keys() == stored.keys()
    for tensor, values in stored.items():
        # Matrices are rounded to F16, of which the smallest is 6e-8; Gemma's norms were one more for a while.
        assert np.allclose(found[tensor], values, rtol=2**-11, atol=1e-7), tensor
