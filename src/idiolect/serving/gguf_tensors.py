"""Single tensors of a GGUF, mapped into memory, without reading its vocabulary.

The layout is that of the GGUF specification, version 3 (ggml, docs/gguf.md). The reader of the `gguf` package makes an
object of every token of the vocabulary, which takes seconds.
"""

from __future__ import annotations

import math
import mmap
import struct
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

#: Bytes of a metadata value, by the number of its type; 8 is a string and 9 an array.
_SIZES = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
_STRING, _ARRAY, _UINT32 = 8, 9, 4
_ALIGNMENT = 32


@dataclass(frozen=True)
class Tensor:
    """A matrix as it is stored: `rows` is (rows, bytes of one), `type` a gguf.GGMLQuantizationType."""

    rows: np.ndarray
    type: Any


def tensors(file: Path, names: Collection[str]) -> dict[str, Tensor]:
    """Return those matrices of a GGUF that are called so and are there."""
    import numpy as np
    from gguf.constants import GGML_QUANT_SIZES, GGMLQuantizationType

    with file.open("rb") as opened:
        content = mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ)
    reading = _Reading(content)
    infos, data = reading.header()
    found = {}
    for name, shape, kind, offset in infos:
        if name in names:
            quantized = GGMLQuantizationType(kind)
            block, size = GGML_QUANT_SIZES[quantized]
            width, count = shape[0] // block * size, math.prod(shape[1:])
            flat = np.frombuffer(content, dtype=np.uint8, count=width * count, offset=data + offset)
            found[name] = Tensor(flat.reshape(count, width), quantized)
    return found


class _Reading:
    """A place in a GGUF's header, which moves on with everything read."""

    def __init__(self, content: mmap.mmap) -> None:
        self.content = content
        self.at = 8

    def header(self) -> tuple[list[tuple[str, tuple[int, ...], int, int]], int]:
        """Return (name, shape with the row's length first, type, offset) of each tensor, and where the data begin."""
        count, values = self.numbers("<QQ")
        alignment = _ALIGNMENT
        for _ in range(values):
            key = self.string()
            (kind,) = self.numbers("<I")
            if key == "general.alignment" and kind == _UINT32:
                (alignment,) = self.numbers("<I")
            else:
                self.skip(kind)
        infos = list(self.infos(count))
        return infos, -(-self.at // alignment) * alignment

    def infos(self, count: int) -> Iterator[tuple[str, tuple[int, ...], int, int]]:
        for _ in range(count):
            name = self.string()
            (dimensions,) = self.numbers("<I")
            shape = self.numbers(f"<{dimensions}Q")
            kind, offset = self.numbers("<IQ")
            yield name, shape, kind, offset

    def numbers(self, form: str) -> tuple[int, ...]:
        found = struct.unpack_from(form, self.content, self.at)
        self.at += struct.calcsize(form)
        return found

    def string(self) -> str:
        (length,) = self.numbers("<Q")
        self.at += length
        return self.content[self.at - length : self.at].decode()

    def skip(self, kind: int) -> None:
        if kind == _ARRAY:
            inner, count = self.numbers("<IQ")
            if inner in _SIZES:
                self.at += _SIZES[inner] * count
            else:
                for _ in range(count):
                    self.skip(inner)
        elif kind == _STRING:
            (length,) = self.numbers("<Q")
            self.at += length
        else:
            self.at += _SIZES[kind]
