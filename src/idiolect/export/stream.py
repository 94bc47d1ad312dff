"""Planned tensors into their bytes, slab by slab of rows, on several threads, in order."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from idiolect.errors import BaseModelFault
from idiolect.export import blas, ggml
from idiolect.export.plan import PlannedTensor

SLAB = 1 << 20  # elements: 4 MB of float32, a tenth of a second of Q4_K
# Each thread has a slab in memory, and two more wait to be written.
MOST_THREADS = 16


@dataclass(frozen=True)
class Slab:
    """The rows from `start` to `stop` of a tensor; in a tensor of one dimension, the elements."""

    tensor: PlannedTensor
    start: int
    stop: int

    @property
    def is_last(self) -> bool:
        return self.stop == self.tensor.matrix[0]


def slabs(tensors: Iterable[PlannedTensor]) -> Iterator[Slab]:
    for tensor in tensors:
        rows, *columns = tensor.matrix
        step = max(1, SLAB // max(1, *columns)) if columns else rows
        for start in range(0, rows, step):
            yield Slab(tensor, start, min(start + step, rows))


def encoded(tensors: Iterable[PlannedTensor]) -> Iterator[tuple[Slab, NDArray[np.uint8]]]:
    """Yield every slab with its bytes, in order; raises BaseModelFault for a weight that is not finite."""
    threads = min(MOST_THREADS, max(2, os.cpu_count() or 1))
    waiting: deque[tuple[Slab, Future[NDArray[np.uint8]]]] = deque()
    with blas.numpy_on_threads(1), ThreadPoolExecutor(threads) as pool:
        try:
            for slab in slabs(tensors):
                waiting.append((slab, pool.submit(_encoded, slab)))
                if len(waiting) > threads + 1:
                    done, future = waiting.popleft()
                    yield done, future.result()
            while waiting:
                done, future = waiting.popleft()
                yield done, future.result()
        finally:
            for _, future in waiting:
                future.cancel()


def _encoded(slab: Slab) -> NDArray[np.uint8]:
    tensor = slab.tensor
    with np.errstate(over="ignore", invalid="ignore"):  # what is not finite is refused below
        values = tensor.rows(slab.start, slab.stop)
    matrix = values if values.ndim == 2 else values.reshape(1, -1)
    result = ggml.encoded(matrix, tensor.type, tensor.importance)
    if not np.isfinite(matrix).all():
        raise BaseModelFault(
            f"There is NaN or infinity in {tensor.origin}, or in what an adapter adds to it.",
            "Fetch the base model again; if it is the adapter, train again with a lower learning rate.",
        )
    if tensor.type == "F16" and not np.isfinite(result.view(np.float16)).all():
        raise BaseModelFault(
            f"{tensor.origin} has weights beyond 65504, which F16 cannot hold.", "Export to BF16 or Q8_0."
        )
    return result
