"""Weights to one GGUF in a stream: read each tensor once, add the adapter in float32, quantize, write.

    base folder ──► configuration ─┐
    (safetensors)   checkpoint     ├──► plan ──► stream ──► write ──► one file
    adapter     ──► adapter        │   (names,   (slabs of
                    vocabulary    ─┘    types)    rows, threads)

Nothing here needs torch, transformers or peft, and no step holds more than a few slabs of rows in memory,
whatever the size of the model. What differs between model families stands in `architectures`.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from idiolect.errors import MissingPart, OptionFault
from idiolect.export.blas import numpy_on_threads
from idiolect.export.ordered import Order, made_gguf, made_model, write_order
from idiolect.export.policy import MIXTURES

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = [
    "QUANTIZATIONS",
    "ExportSummary",
    "Order",
    "check_exportable",
    "dequantized",
    "estimate_bytes",
    "export_gguf",
    "export_vocabulary",
    "is_foreign",
    "made_gguf",
    "made_model",
    "merge_model",
    "merged",
    "numpy_on_threads",
    "write_order",
]

QUANTIZATIONS = tuple(MIXTURES)


@dataclass(frozen=True)
class ExportSummary:
    """What was written: the file's size, and how many tensors there are of each ggml type."""

    bytes: int
    tensors: int
    types: Mapping[str, int]


def check_exportable(base: Path, *, weighed: bool = False) -> None:
    """Refuse a base that cannot become a GGUF, from its JSON files and the headers of its weights alone.

    `weighed`: with an importance matrix. A base of an architecture that is not known here is shown to llama.cpp's own
    converter, if LLAMA_CPP_DIR is set; that takes some seconds.

    Raises BaseModelFault (architecture, tokenizer, or a file that is missing or cut short), OptionFault (LLAMA_CPP_DIR;
    no importance matrix for this architecture) and MissingPart (a Python package that the export needs is not there).
    """
    _check_parts()
    from idiolect.export import foreign, ggml, llama_cpp, merge, plan

    ggml.library()
    script = foreign.converter_for(base)
    if script is None:
        plan.planned(base, "F16")
        return
    if weighed:
        raise OptionFault(
            f"The model in {base} is converted by llama.cpp, where an importance matrix of ours is not known.",
            "Leave out imatrix, or choose a base model of another architecture.",
        )
    merge.planned(base, None)
    llama_cpp.check(script, base)


def is_foreign(base: Path) -> bool:
    """Whether llama.cpp's own converter exports this base, which other machines do not have. Raises BaseModelFault."""
    from idiolect.export import foreign

    return foreign.converter_for(base) is not None


def estimate_bytes(base: Path, quantization: str) -> int:
    """Return what the export of `base` takes on the disk: never less, and less than 1 % or 1 MB more than the GGUF.

    Where llama.cpp's converter has to help, its files are in it. Raises what check_exportable raises, and OptionFault
    for an unknown quantization.
    """
    _check_parts()
    from idiolect.export import foreign, plan

    if foreign.converter_for(base):
        return foreign.needed_bytes(base)
    return plan.estimated_bytes(plan.planned(base, quantization))


def export_gguf(  # noqa: PLR0913 - one call does it all, and what may be left out has a name
    base: Path,
    target: Path,
    quantization: str,
    *,
    adapter: Path | None = None,
    importance: Path | None = None,
    name: str,
    chat_template: str | None = None,
    keys: Mapping[str, float] | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> ExportSummary:
    """Write the model in `base`, with the LoRA in the PEFT folder `adapter` merged in, to the file `target`.

    `importance` is a safetensors file that has, under the name of a base tensor, how much each of its columns matters:
    the mean square of what it is multiplied with. Such columns are quantized with more care. `name` becomes
    general.name; `chat_template` replaces the base's own; `keys` are further metadata, whole numbers (int32) and others
    (float32); `on_progress` is told the bytes of tensors written so far and in all. The file appears under its name
    only when whole.

    Raises BaseModelFault (what check_exportable refuses; an adapter that does not fit; NaN or infinity in a
    weight), OptionFault (quantization), NoRoom (disk) and MissingPart.
    """
    _check_parts()
    from idiolect.export import foreign, plan, write

    header = write.Header(name, chat_template, keys or {})
    script = foreign.converter_for(base)
    if script:
        return foreign.written(script, base, adapter, target, quantization, header, on_progress)
    chosen = plan.planned(base, quantization, adapter, importance)
    return write.written(chosen, target, header, on_progress)


def export_vocabulary(base: Path, target: Path, *, chat_template: str) -> None:
    """Write a model file that has the tokenizer of `base`, a chat template and next to no weights.

    It is asked as a trained model will be. Raises BaseModelFault for a tokenizer that llama.cpp would not cut text with
    in the same way, and MissingPart.
    """
    _check_parts()
    from idiolect.export import vocabulary_file

    vocabulary_file.write_vocabulary(base, target, chat_template)


def merge_model(
    base: Path,
    adapter: Path,
    target: Path,
    *,
    chat_template: str,
    on_progress: Callable[[int, int], None] | None = None,
) -> int:
    """Write base and adapter as one model in Transformers' form to the folder `target`; return its weights' bytes.

    What the adapter adds is added in float32; the sum is rounded to the type that the base is stored in. `on_progress`
    is told the bytes written so far and in all. The folder appears under its name only when whole.

    Raises BaseModelFault (files cut short; an adapter that does not fit; NaN or infinity), NoRoom and MissingPart.
    """
    _check_parts()
    from idiolect.export import merge

    chosen = merge.planned(base, adapter)
    merge.write_model(chosen, base, target, chat_template, on_progress)
    return sum(tensor.nbytes for tensor in chosen.tensors)


def merged(base: Path, adapter: Path | None) -> Iterator[tuple[str, NDArray[np.float32]]]:
    """Yield the tensors of a base with an adapter merged in, in float32, as Transformers names and orders them."""
    _check_parts()
    from idiolect.export import merge

    for tensor in merge.planned(base, adapter).tensors:
        yield tensor.name, tensor.rows(0, tensor.matrix[0]).reshape(tensor.shape)


def dequantized(file: Path, base: Path) -> Iterator[tuple[str, NDArray[np.float32]]]:
    """Yield the tensors of a GGUF made from the model in `base`, as Transformers names and orders them.

    Raises BaseModelFault for a file that holds another model, and MissingPart.
    """
    _check_parts()
    from idiolect.export import read_back

    return read_back.dequantized(file, base)


def _check_parts() -> None:
    absent = [name for name in ("numpy", "gguf", "xllamacpp") if importlib.util.find_spec(name) is None]
    if absent:
        raise MissingPart(
            f"Exporting needs Python packages that are not installed: {', '.join(absent)}.",
            "Install the part that exports: pip install 'idiolect[export]'",
        )
