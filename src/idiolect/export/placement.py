"""Where a checkpoint's tensor stands in a GGUF: under which name, in which order of rows, and with what added."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import gguf
import numpy as np
from numpy.typing import NDArray

from idiolect.export.configuration import Configuration


@dataclass(frozen=True)
class Placement:
    """`order[i]` is the row of the checkpoint that is row i of the GGUF; None if they are the same."""

    name: str
    order: NDArray[np.intp] | None
    offset: float


def placed(config: Configuration, name: str, rows: int) -> Placement:
    """Return where the tensor that Transformers calls `name`, of so many rows, stands."""
    family, sizes = config.architecture, config.sizes
    module = ".".join(name.split(".")[3:-1])  # of model.layers.N.self_attn.q_proj.weight
    heads = family.reordered.get(module)
    return Placement(
        name=_names(family.gguf_name, sizes["layers"]).get_name(name, try_suffixes=(".weight", ".bias")),
        order=None if heads is None else _side_by_side(rows, sizes[heads]),
        offset=family.norm_offset if name.endswith("norm.weight") else 0.0,
    )


@cache
def _names(gguf_name: str, layers: int) -> gguf.TensorNameMap:
    arch = next(arch for arch, known in gguf.MODEL_ARCH_NAMES.items() if known == gguf_name)
    return gguf.get_tensor_name_map(arch, layers)


def _side_by_side(rows: int, heads: int) -> NDArray[np.intp]:
    """Return which row of the checkpoint each row in llama.cpp's order is; see Architecture.reordered."""
    return np.arange(rows).reshape(heads, 2, rows // heads // 2).swapaxes(1, 2).reshape(rows)
