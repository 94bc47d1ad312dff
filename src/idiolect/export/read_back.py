"""A GGUF of ours back into the weights that Transformers knows: dequantized, in its order, under its names."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import gguf
import numpy as np
from numpy.typing import NDArray

from idiolect.errors import BaseModelFault
from idiolect.export import architectures, configuration, plan
from idiolect.export.placement import Placement, placed


def dequantized(file: Path, base: Path) -> Iterator[tuple[str, NDArray[np.float32]]]:
    """Yield name and values of every tensor of the model in `file`, made from the model in the folder `base`.

    Raises BaseModelFault for a file that holds another model, before anything is read of its weights.
    """
    config = configuration.read(base)
    stored = {tensor.name: tensor for tensor in gguf.GGUFReader(file).tensors}
    required, optional = plan.expected_tensors(config)
    # A tied model has no output matrix of its own, unless an adapter changed one of the two.
    output = {architectures.OUTPUT: (config.sizes["vocabulary"], config.sizes["hidden"])}
    places = {name: (placed(config, name, shape[0]), shape) for name, shape in (output | required | optional).items()}
    faults = [
        f"no {place.name} of the shape {shape}"
        for name, (place, shape) in places.items()
        if (name in required or place.name in stored) and _shape(stored.get(place.name)) != shape
    ]
    if faults:
        raise BaseModelFault(
            f"{file} does not hold the model in {base}: {'; '.join(faults)}.",
            "Name the base model that the file was made from.",
        )
    for name, (place, _) in places.items():
        if place.name in stored:
            values = gguf.quants.dequantize(stored[place.name].data, stored[place.name].tensor_type)
            yield name, _in_the_checkpoint(values, place)


def _shape(tensor: gguf.ReaderTensor | None) -> tuple[int, ...] | None:
    return None if tensor is None else tuple(int(size) for size in tensor.shape[::-1])


def _in_the_checkpoint(values: NDArray[np.float32], place: Placement) -> NDArray[np.float32]:
    found = values - np.float32(place.offset)
    if place.order is None:
        return found
    back = np.empty_like(found)
    back[place.order] = found
    return back
