"""Safetensors read lazily: headers first, then any rows of any tensor, memory-mapped, as float32.

Format: https://github.com/huggingface/safetensors - eight bytes of header length, a JSON header, the data.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from idiolect.errors import BaseModelFault
from idiolect.export.configuration import json_object

# numpy has no bfloat16: its bits are the upper half of a float32.
STORED_AS: dict[str, np.dtype[Any]] = {
    "F32": np.dtype("<f4"),
    "F16": np.dtype("<f2"),
    "BF16": np.dtype("<u2"),
}

INDEX = "model.safetensors.index.json"
SINGLE = "model.safetensors"
REMEDY = "Fetch or write that file again."


@dataclass(frozen=True)
class StoredTensor:
    """Where a tensor lies: `offset` bytes into `path`, row-major."""

    name: str
    path: Path
    dtype: str
    shape: tuple[int, ...]
    offset: int

    @property
    def matrix(self) -> tuple[int, ...]:
        return as_matrix(self.shape)


def as_matrix(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return (rows, columns) of any tensor of two or more dimensions, and (elements,) of others."""
    return (prod(shape),) if len(shape) < 2 else (prod(shape[:-1]), shape[-1])


def tensors_of(base: Path) -> dict[str, StoredTensor]:
    """Return every tensor of a model folder, sharded or not, by name; nothing but headers is read.

    Raises BaseModelFault naming each file that is missing, cut short or not safetensors.
    """
    if not (base / INDEX).is_file():
        return header(base / SINGLE)
    places: Mapping[str, str] = json_object(base / INDEX).get("weight_map", {})
    found: dict[str, StoredTensor] = {}
    faults = []
    for shard in sorted(set(places.values())):
        try:
            found |= header(base / shard)
        except BaseModelFault as fault:
            faults.append(fault.problem)
    faults += [f"{base / places[name]} has no {name}" for name in places.keys() - found.keys() if not faults]
    if faults:
        raise BaseModelFault("; ".join(sorted(faults)), REMEDY)
    return found


def header(path: Path) -> dict[str, StoredTensor]:
    """Read the header of one safetensors file and hold it against the file's size."""
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            if size < 8 + length:
                raise BaseModelFault(f"{path} is cut short or not safetensors: its header is not whole.", REMEDY)
            content = dict(json.loads(file.read(length)))
        content.pop("__metadata__", None)
        found = {name: _stored(name, path, entry, 8 + length) for name, entry in content.items()}
    except FileNotFoundError as absent:
        raise BaseModelFault(f"There is no {path}.", REMEDY) from absent
    except (KeyError, TypeError, ValueError) as broken:
        raise BaseModelFault(f"{path} is not safetensors: {broken!r}", REMEDY) from broken
    needed = max((stored.offset + nbytes(stored) for stored in found.values()), default=8 + length)
    if size < needed:
        raise BaseModelFault(f"{path} is cut short: {size} bytes of {needed}.", REMEDY)
    return found


def _stored(name: str, path: Path, entry: dict[str, Any], data: int) -> StoredTensor:
    begin, end = entry["data_offsets"]
    stored = StoredTensor(name, path, entry["dtype"], tuple(entry["shape"]), data + begin)
    if stored.dtype not in STORED_AS:
        raise BaseModelFault(
            f"{name} in {path} is stored as {stored.dtype}; {', '.join(STORED_AS)} can be read.",
            "Choose a base model with 16- or 32-bit weights.",
        )
    if end - begin != nbytes(stored):
        raise BaseModelFault(f"{path} is not safetensors: {name} has the wrong number of bytes.", REMEDY)
    return stored


def nbytes(stored: StoredTensor) -> int:
    return prod(stored.shape) * STORED_AS[stored.dtype].itemsize


def read(stored: StoredTensor, which: Any = ...) -> NDArray[np.float32]:
    """Return a float32 copy of the part of a tensor, as a matrix, that the numpy index `which` takes.

    The file is mapped for the time of the call only, so what was read does not stay in the process's memory.
    """
    mapped = np.memmap(stored.path, STORED_AS[stored.dtype], "r", stored.offset, stored.matrix)
    part = mapped[which]
    if stored.dtype != "BF16":
        return np.array(part, dtype=np.float32)
    bits = part.astype(np.uint32)
    bits <<= 16
    values: NDArray[np.float32] = bits.view(np.float32)
    return values
