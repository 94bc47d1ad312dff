"""A model of an architecture that is not known here: merged, converted by llama.cpp's own converter, quantized by us.

Not in a stream: the merged model and the converter's GGUF, both in float32, lie beside the target for a while.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import prod
from pathlib import Path
from typing import Any

import gguf
import numpy as np
from numpy.typing import NDArray

from idiolect import files
from idiolect.errors import BaseModelFault
from idiolect.export import ExportSummary, checkpoint, configuration, ggml, llama_cpp, merge, policy, write
from idiolect.export.architectures import ARCHITECTURES
from idiolect.export.disk import room_for
from idiolect.export.plan import PlannedTensor
from idiolect.export.policy import ModelShape
from idiolect.export.write import Header

Progress = Callable[[int, int], None]

#: llama.cpp's other models of 70 billion weights, by their number of layers.
LAYERS_OF_70B = {"deci": 80, "jais2": 68, "olmo": 80}
#: What is said about a file itself, and is otherwise in ours.
OWN_KEYS = {"general.architecture", "general.file_type", "general.quantization_version", "general.name"}
CHAT_TEMPLATE = "tokenizer.chat_template"


def converter_for(base: Path) -> Path | None:
    """Return llama.cpp's converter if this model needs it and it is at hand."""
    return None if configuration.class_name(base) in ARCHITECTURES else llama_cpp.converter()


def needed_bytes(base: Path) -> int:
    """Return the most that the export takes on the disk at once, whatever the quantization."""
    weights = sum(prod(stored.shape) for stored in checkpoint.tensors_of(base).values())
    # Twice in float32, and in 8.5 bits or 16; the vocabulary is shorter in a GGUF than in its own file.
    return 10 * weights + 2 * (base / "tokenizer.json").stat().st_size + 1_000_000


def written(  # noqa: PLR0913, PLR0917 - as export_gguf
    script: Path,
    base: Path,
    adapter: Path | None,
    target: Path,
    quantization: str,
    header: Header,
    on_progress: Progress | None,
) -> ExportSummary:
    """Write the file; see export_gguf."""
    policy.mixture(quantization)
    ggml.library()
    merged = merge.planned(base, adapter, as_type="F32") if adapter else None
    with room_for(target, needed_bytes(base)), _beside(target) as work:
        model = base
        if merged:
            model = work / "model"
            merge.write_model(merged, base, model, header.chat_template or "")
        llama_cpp.convert(script, model, work / "f32.gguf")
        if merged:
            files.remove(model)
        return _quantized(_Source(work / "f32.gguf"), target, quantization, header, on_progress)


@contextmanager
def _beside(target: Path) -> Iterator[Path]:
    work = target.with_name(f".{target.name}.work")
    files.remove(work)
    work.mkdir()
    try:
        yield work
    finally:
        files.remove(work)


class _Source:
    """A GGUF whose weights are not quantized, open to be read."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.reader = gguf.GGUFReader(path)
        self.architecture: str = self.value("general.architecture")

    def value(self, key: str) -> Any:
        field = self.reader.get_field(key)
        return None if field is None else field.contents()

    def shape(self) -> ModelShape:
        """Return what the choice of types depends on; roles are counted in llama.cpp's order of layers."""
        arch = self.architecture
        layers = int(self.value(f"{arch}.block_count"))
        names = [t.name for t in self.reader.tensors]
        quantized = [t.name for t in self.reader.tensors if policy.may_be_quantized(t.name, _shape(t))]
        values = sorted((n for n in names if policy.role(n) in policy.VALUES), key=policy.layer_order)
        downs = sorted((n for n in quantized if policy.role(n) == "ffn_down"), key=policy.layer_order)
        return ModelShape(
            layers=layers,
            tied="output.weight" not in names,
            is_70b=LAYERS_OF_70B.get(arch) == layers,
            experts=int(self.value(f"{arch}.expert_count") or 0),
            falcon=arch == "falcon",
            places={name: place for of in (values, downs) for place, name in enumerate(of)},
            values=len(values),
        )


def _quantized(
    source: _Source, target: Path, quantization: str, header: Header, on_progress: Progress | None
) -> ExportSummary:
    model = source.shape()
    tensors = [_planned(tensor, quantization, model, source.path) for tensor in source.reader.tensors]
    with files.whole(target) as partial:
        writer = gguf.GGUFWriter(partial, source.architecture)
        try:
            writer.add_name(header.name)
            _copy_keys(source, writer, header)
            write.write_tensors(writer, quantization, tensors, on_progress)
        finally:
            writer.close()
    types = dict(Counter(tensor.type for tensor in tensors))
    return ExportSummary(bytes=target.stat().st_size, tensors=len(tensors), types=types)


def _planned(tensor: gguf.ReaderTensor, quantization: str, model: ModelShape, path: Path) -> PlannedTensor:
    kind, shape = tensor.tensor_type, _shape(tensor)
    if kind.name not in {"F32", "F16", "BF16"}:
        raise BaseModelFault(
            f"llama.cpp's converter wrote {tensor.name} as {kind.name}, which is not quantized here.",
            "Choose another base model.",
        )
    matrix = tensor.data.reshape(-1, tensor.data.shape[-1]) if len(shape) > 1 else tensor.data

    def rows(start: int, stop: int) -> NDArray[np.float32]:
        return np.array(gguf.quants.dequantize(matrix[start:stop], kind), np.float32)

    return PlannedTensor(
        name=tensor.name,
        shape=shape,
        type=policy.tensor_type(tensor.name, shape, quantization, model),
        origin=f"{tensor.name} in {path}",
        rows=rows,
    )


def _shape(tensor: gguf.ReaderTensor) -> tuple[int, ...]:
    return tuple(int(size) for size in tensor.shape[::-1])


def _copy_keys(source: _Source, writer: gguf.GGUFWriter, header: Header) -> None:
    replaced = {*header.keys, *([CHAT_TEMPLATE] if header.chat_template else [])}
    for key, field in source.reader.fields.items():
        if not key.startswith("GGUF.") and key not in OWN_KEYS | replaced:
            kind, *of = field.types
            writer.add_key_value(key, field.contents(), kind, of[-1] if of else None)
    write.add_keys(writer, header.keys)
    if header.chat_template:
        writer.add_chat_template(header.chat_template)
