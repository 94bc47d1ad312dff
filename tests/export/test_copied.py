"""Ollama copies what it imports with `llama-quantize COPY`: a file that this changes is stored there twice."""

from __future__ import annotations

import dataclasses
import re
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import gguf
import numpy as np
import pytest
from numpy.typing import NDArray

from idiolect import export
from idiolect.export import checkpoint, plan, write
from idiolect.export.plan import PlannedTensor
from tests import npm
from tests.export.reference import RECIPES, write_adapter, write_base

STAND_IN = Path(__file__).parent / "stand_in"
#: Ends with the exit code that llama.cpp's function has. A process of its own: its libraries stay out of this one.
COPY = """
import ctypes, sys
from pathlib import Path

folder, source, target = Path(sys.argv[1]), *map(str.encode, sys.argv[2:])

class Parameters(ctypes.Structure):  # llama_model_quantize_params in llama.h; what may follow is left as it is
    _fields_ = [
        *((name, ctypes.c_int) for name in ("threads", "ftype", "output_type", "embedding_type")),
        *((name, ctypes.c_bool) for name in ("allow_requantize", "quantize_output", "only_copy", "pure", "split")),
        ("rest", ctypes.c_char * 256),
    ]

ctypes.CDLL(next(folder.glob("libggml.*so*"))).ggml_backend_load_all_from_path(str(folder).encode())
llama = ctypes.CDLL(next(folder.glob("libllama.*so*")))
llama.llama_model_quantize_default_params.restype = Parameters
parameters = llama.llama_model_quantize_default_params()
parameters.allow_requantize = parameters.only_copy = True
parameters.ftype = 0  # as `llama-quantize --allow-requantize SOURCE TARGET COPY` has them
sys.exit(llama.llama_model_quantize(source, target, ctypes.byref(parameters)))
"""
Copy = Callable[[Path, Path], None]


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    """Return a function that copies a GGUF as llama.cpp does, by the libraries that the package node-llama-cpp has."""
    package = npm.fetched("@node-llama-cpp/linux-x64", "3.22.1", tmp_path_factory.mktemp("npm"))

    def copied(source: Path, target: Path) -> None:
        words = [sys.executable, "-c", COPY, str(package / "bins" / "linux-x64"), str(source), str(target)]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr[-2000:]

    return copied


def zeros(shape: tuple[int, ...], start: int, stop: int) -> NDArray[np.float32]:
    return np.zeros(checkpoint.as_matrix(shape), np.float32)[start:stop]


def exported(name: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LLAMA_CPP_DIR", str(STAND_IN))  # asked for what our families do not have
    base = write_base(name, folder / "base")
    adapter = write_adapter(name, base, folder / "adapter")
    export.export_gguf(base, folder / "model.gguf", "Q4_K_M", adapter=adapter, name="ada")
    return folder / "model.gguf"


@pytest.mark.slow
@pytest.mark.parametrize("name", RECIPES)
def test_llama_cpp_copies_a_model_file_without_changing_a_byte(
    copy: Copy, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = exported(name, tmp_path, monkeypatch)
    copy(ours, tmp_path / "copy.gguf")
    assert (tmp_path / "copy.gguf").read_bytes() == ours.read_bytes()


@pytest.mark.slow
def test_outermost_dimensions_of_one_are_no_dimensions_to_llama_cpp(copy: Copy, tmp_path: Path) -> None:
    """As in some architectures that come here by llama.cpp's converter."""
    chosen = plan.planned(write_base("llama", tmp_path / "base"), "Q4_K_M")
    shapes = {"blk.0.one.weight": (1, 1, 32), "blk.1.one.weight": (1,), "blk.1.two.weight": (1, 2, 1, 32)}
    odd = [PlannedTensor(name, shape, "F32", name, partial(zeros, shape)) for name, shape in shapes.items()]
    wider = dataclasses.replace(chosen, tensors=(*chosen.tensors, *odd))
    write.written(wider, tmp_path / "model.gguf", write.Header("ada", None, {"general.sampling.temp": 0.7}), None)
    copy(tmp_path / "model.gguf", tmp_path / "copy.gguf")
    assert (tmp_path / "copy.gguf").read_bytes() == (tmp_path / "model.gguf").read_bytes()


@pytest.mark.parametrize("name", ["llama", "qwen3"])
def test_the_order_is_that_of_a_copy(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reader = gguf.GGUFReader(exported(name, tmp_path, monkeypatch))
    assert list(reader.fields)[-2:] == ["general.quantization_version", "general.file_type"]
    names = [tensor.name for tensor in reader.tensors]
    layers = [int(re.sub(r"^blk\.(\d+)\..*|.*", r"\1", name) or -1) for name in names]
    assert layers == sorted(layers)
    assert layers[0] == -1
    for layer in set(layers):
        of_layer = [name for name, found in zip(names, layers, strict=True) if found == layer]
        assert of_layer == sorted(of_layer)
