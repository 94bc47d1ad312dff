"""A base and its adapter as one model in Transformers' form, written in a stream: each base tensor is read once.

What an adapter adds is added in float32, and the sum is rounded to the type that the base is stored in. Of any
architecture: tensors keep the names and shapes that they have in the base.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from idiolect.bases import copy_tokenizer
from idiolect.export import adapter, checkpoint, stream
from idiolect.export.adapter import Delta
from idiolect.export.architectures import ARCHITECTURES, OUTPUT
from idiolect.export.checkpoint import INDEX, SINGLE, StoredTensor
from idiolect.export.configuration import json_object
from idiolect.export.disk import room_for
from idiolect.export.plan import PlannedTensor
from idiolect.files import whole, write_json

SHARD = 4_000_000_000  # bytes

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Merge:
    """A model to write: its config.json and its tensors, in the order of the base's files."""

    config: dict[str, Any]
    tensors: tuple[PlannedTensor, ...]


def planned(base: Path, adapter_folder: Path | None, as_type: str | None = None) -> Merge:
    """Read headers only; each tensor will have the type that it has in the base, or `as_type`.

    Raises BaseModelFault for files that are missing or cut short, and for an adapter that does not fit.
    """
    config = json_object(base / "config.json")
    stored = checkpoint.tensors_of(base)
    tied = OUTPUT not in stored or _is_tied(config)
    if tied:  # Transformers passes over a copy of the output matrix
        stored = {name: tensor for name, tensor in stored.items() if name != OUTPUT}
    changes, final = adapter.fitted(adapter_folder, stored, tied=tied)
    if tied and OUTPUT in final:
        config = {**config, "tie_word_embeddings": False}
    tensors = tuple(
        PlannedTensor(
            name=name,
            shape=own.shape,
            type=as_type or own.dtype,
            origin=f"{own.name} in {own.path}",
            rows=_Rows(changes.replacements.get(name, own), changes.deltas.get(name)).read,
        )
        for name, own in final.items()
    )
    return Merge(config, tensors)


def nbytes(merge: Merge) -> int:
    """Return the bytes of the model's weights on disk, never too few."""
    # A tensor's line in a header and in the index is shorter than its name twice and 200 bytes.
    return sum(tensor.nbytes + 2 * len(tensor.name) + 200 for tensor in merge.tensors) + 100_000


def write_model(
    merge: Merge, base: Path, target: Path, chat_template: str, on_progress: Progress | None = None
) -> None:
    """Write the folder `target`: shards with their index, config.json, the base's tokenizer, that chat template.

    It appears when it is whole. Raises BaseModelFault (NaN or infinity in a weight, a weight that the type cannot
    hold) and NoRoom.
    """
    total, done = sum(tensor.nbytes for tensor in merge.tensors), 0
    with room_for(target, nbytes(merge)), whole(target) as folder:
        folder.mkdir()
        for path, tensors in _shards(merge.tensors, folder):
            for written in _write_shard(path, tensors):
                done += written
                if on_progress is not None:
                    on_progress(done, total)
        write_json(folder / "config.json", merge.config)
        copy_tokenizer(base, folder, chat_template)


def _is_tied(config: dict[str, Any]) -> bool:
    (name, *_) = config.get("architectures") or [""]
    usual = ARCHITECTURES[name].defaults.get("tie_word_embeddings", False) if name in ARCHITECTURES else False
    return bool(config.get("tie_word_embeddings", usual))


@dataclass(frozen=True)
class _Rows:
    source: StoredTensor
    delta: Delta | None

    def read(self, start: int, stop: int) -> NDArray[np.float32]:
        return adapter.merged(self.source, self.delta, slice(start, stop))


def _shards(tensors: Sequence[PlannedTensor], folder: Path) -> list[tuple[Path, list[PlannedTensor]]]:
    """Divide tensors among files as Transformers does, and write the index if there is more than one."""
    parts: list[list[PlannedTensor]] = [[]]
    for tensor in tensors:
        if parts[-1] and sum(t.nbytes for t in parts[-1]) + tensor.nbytes > SHARD:
            parts.append([])
        parts[-1].append(tensor)
    if len(parts) == 1:
        return [(folder / SINGLE, parts[0])]
    names = [f"model-{number:05}-of-{len(parts):05}.safetensors" for number in range(1, len(parts) + 1)]
    places = {tensor.name: name for name, part in zip(names, parts, strict=True) for tensor in part}
    total = sum(tensor.nbytes for tensor in tensors)
    write_json(folder / INDEX, {"metadata": {"total_size": total}, "weight_map": places})
    return [(folder / name, part) for name, part in zip(names, parts, strict=True)]


def _write_shard(path: Path, tensors: Sequence[PlannedTensor]) -> Iterator[int]:
    """Write one safetensors file; yield the bytes of each slab when it is written."""
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    end = 0
    for tensor in tensors:
        begin, end = end, end + tensor.nbytes
        header[tensor.name] = {"dtype": tensor.type, "shape": tensor.shape, "data_offsets": [begin, end]}
    described = json.dumps(header, separators=(",", ":")).encode()
    described += b" " * (-len(described) % 8)  # data begins at a multiple of eight bytes
    with path.open("wb") as out:
        out.write(len(described).to_bytes(8, "little") + described)
        for _, data in stream.encoded(tensors):
            out.write(data.data)
            yield data.nbytes
        out.flush()
        os.fsync(out.fileno())
