"""ggml's own quantizers, called in the shared library that the Python package xllamacpp brings.

The library is loaded by ctypes, not imported: a ctypes call drops the interpreter lock, so threads quantize
side by side, and llama.cpp is not started.
"""

from __future__ import annotations

import ctypes
import importlib.machinery
import importlib.util
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from idiolect.errors import MissingPart
from idiolect.export import policy

PACKAGE = "xllamacpp"
# enum ggml_type in ggml.h
TYPE_IDS = {
    "F32": 0,
    "F16": 1,
    "Q5_0": 6,
    "Q5_1": 7,
    "Q8_0": 8,
    "Q4_K": 12,
    "Q5_K": 13,
    "Q6_K": 14,
    "BF16": 30,
}


@cache
def library() -> ctypes.CDLL:
    """Load the library, once; raises MissingPart if it is not there or lacks the functions."""
    path = _path()
    if path is None:
        raise MissingPart(
            "The Python package xllamacpp holds no library for this Python.",
            "Install it again: pip install --force-reinstall xllamacpp",
        )
    try:
        loaded = ctypes.CDLL(str(path))
        chunk, init = loaded.ggml_quantize_chunk, loaded.ggml_quantize_init
    except (OSError, AttributeError) as unusable:
        raise MissingPart(
            f"The library {path} does not give llama.cpp's quantizers: {unusable}",
            "Install another version: pip install --upgrade xllamacpp",
        ) from unusable
    # size_t ggml_quantize_chunk(type, const float *, void *, start, rows, columns, const float * importance)
    pointer, count = ctypes.c_void_p, ctypes.c_int64
    chunk.argtypes = [ctypes.c_int, pointer, pointer, count, count, count, pointer]
    chunk.restype = ctypes.c_size_t
    init.argtypes, init.restype = [ctypes.c_int], None
    for type_id in TYPE_IDS.values():
        init(type_id)  # builds the tables of the types that have any
    return loaded


def _path() -> Path | None:
    spec = importlib.util.find_spec(PACKAGE)
    places = spec.submodule_search_locations if spec else None
    candidates = [
        Path(place) / f"{PACKAGE}{suffix}"
        for place in places or ()
        for suffix in importlib.machinery.EXTENSION_SUFFIXES
    ]
    return next((path for path in candidates if path.is_file()), None)


def encoded(
    values: NDArray[np.float32], type_name: str, importance: NDArray[np.float32] | None = None
) -> NDArray[np.uint8]:
    """Return the bytes of `values` (rows, columns) in a ggml type; columns must divide into whole blocks.

    `importance` (columns,) says how much an error in each column weighs; all alike if there is none.
    """
    rows, columns = values.shape
    source = np.ascontiguousarray(values)
    target = np.empty(rows * policy.row_bytes(columns, type_name), np.uint8)
    weights = None if importance is None else importance.ctypes.data
    written = library().ggml_quantize_chunk(
        TYPE_IDS[type_name], source.ctypes.data, target.ctypes.data, 0, rows, columns, weights
    )
    if written != target.nbytes:
        raise AssertionError(f"ggml wrote {written} bytes of {type_name}, not {target.nbytes}")
    return target
