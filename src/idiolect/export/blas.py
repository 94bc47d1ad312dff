"""Keeps numpy's matrix products on few threads, where our own threads already share the cores.

OpenBLAS, which numpy's wheels bring, else starts threads for each of them, and these wait by spinning: half as much
time again for a whole export. Another BLAS is left as it is.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

LIBRARIES = ("../numpy.libs/*openblas*", ".dylibs/*openblas*")  # beside numpy's folder, or in it (macOS)
NAMES = ("scipy_openblas_{}_num_threads64_", "scipy_openblas_{}_num_threads", "openblas_{}_num_threads")


@contextmanager
def numpy_on_threads(count: int) -> Iterator[None]:
    found = controls()
    if found is None:
        yield
        return
    get, put = found
    before = get()
    put(count)
    try:
        yield
    finally:
        put(before)


@cache
def controls() -> tuple[Callable[[], int], Callable[[int], None]] | None:
    """Return the functions by which numpy's OpenBLAS says, and is told, how many threads it uses."""
    import numpy as np

    numpy = Path(np.__file__).parent
    for path in (path for pattern in LIBRARIES for path in numpy.glob(pattern)):
        library = ctypes.CDLL(str(path))
        for name in NAMES:
            get, put = (getattr(library, name.format(verb), None) for verb in ("get", "set"))
            if get is not None and put is not None:
                put.argtypes, put.restype = [ctypes.c_int], None
                return get, put
    return None
