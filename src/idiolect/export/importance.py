"""An importance matrix, as ggml's quantizers take it: for each column of a matrix, the mean square of its input."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from idiolect.errors import BaseModelFault
from idiolect.export import checkpoint
from idiolect.export.checkpoint import StoredTensor


def read(path: Path, base: Mapping[str, StoredTensor]) -> dict[str, NDArray[np.float32]]:
    """Read a safetensors file of vectors (columns,) by the names of base tensors.

    Raises BaseModelFault for a file that is not whole, or is of another model, or holds what is no number.
    """
    found = {name: checkpoint.read(stored) for name, stored in checkpoint.header(path).items()}
    faults = [
        f"{name} has the shape {values.shape}"
        for name, values in found.items()
        if name not in base or values.shape != base[name].shape[-1:]
    ]
    faults += [f"{name} has NaN or infinity" for name, values in found.items() if not np.isfinite(values).all()]
    if faults:
        raise BaseModelFault(
            f"The importance matrix {path} is not of this base model: {'; '.join(faults)}.", "Leave out --imatrix."
        )
    return found
