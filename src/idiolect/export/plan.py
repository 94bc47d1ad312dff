"""What the file will hold, before a byte of it is written: each tensor with its name, type and values."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from math import prod
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from idiolect.errors import BaseModelFault
from idiolect.export import adapter, architectures, checkpoint, configuration, importance, policy, rope, vocabulary
from idiolect.export.adapter import Adapter, Delta
from idiolect.export.checkpoint import StoredTensor
from idiolect.export.configuration import Configuration
from idiolect.export.placement import Placement, placed
from idiolect.export.vocabulary import Vocabulary

ALIGNMENT = 32  # bytes; every tensor of a GGUF begins at a multiple


@dataclass(frozen=True)
class PlannedTensor:
    """One tensor of the file: `rows(start, stop)` reads a part of its final values, as float32.

    A tensor of more than two dimensions has its rows counted through all of them.
    """

    name: str
    shape: tuple[int, ...]
    type: str
    origin: str  # for error messages: which tensor of which file
    rows: Callable[[int, int], NDArray[np.float32]]
    importance: NDArray[np.float32] | None = None  # (columns,)

    @property
    def matrix(self) -> tuple[int, ...]:
        return checkpoint.as_matrix(self.shape)

    @property
    def nbytes(self) -> int:
        *rows, columns = self.matrix
        return prod(rows) * policy.row_bytes(columns, self.type)


@dataclass(frozen=True)
class Plan:
    configuration: Configuration
    vocabulary: Vocabulary
    quantization: str
    tensors: tuple[PlannedTensor, ...]


def planned(
    base: Path, quantization: str, adapter_folder: Path | None = None, importance_file: Path | None = None
) -> Plan:
    """Read headers only, and refuse all that cannot be exported; see export_gguf for the errors."""
    policy.mixture(quantization)
    config = configuration.read(base)
    stored = _checked(config, checkpoint.tensors_of(base), base)
    vocab = vocabulary.read(base, config.sizes["vocabulary"], config.architecture.foreign_tokens)
    changes, stored = adapter.fitted(adapter_folder, stored, tied=config.tied)
    config = dataclasses.replace(config, tied=config.tied and architectures.OUTPUT not in stored)
    weighed = importance.read(importance_file, stored) if importance_file else {}
    tensors = (*_model_tensors(config, stored, changes, weighed, quantization), *_factor_tensors(config))
    return Plan(config, vocab, quantization, tensors)


def estimated_bytes(plan: Plan) -> int:
    """Return an upper bound of the file's size: tensors, vocabulary, and some room for everything else."""
    data = sum(-(-tensor.nbytes // ALIGNMENT) * ALIGNMENT for tensor in plan.tensors)
    # A token costs 8 bytes of length, 4 of type, 4 of score; a merge names two tokens that together make a third.
    tokens = sum(len(token.encode()) for token in plan.vocabulary.tokens)
    return data + 2 * tokens + 16 * len(plan.vocabulary.tokens) + 9 * plan.vocabulary.merges + 100_000


def expected_tensors(config: Configuration) -> tuple[dict[str, tuple[int, ...]], dict[str, tuple[int, ...]]]:
    """Return the shapes of the tensors that a checkpoint must have, and of those that it may have."""
    family = config.architecture
    required = dict(architectures.MODEL_TENSORS)
    if not config.tied:
        required[architectures.OUTPUT] = architectures.OUTPUT_SHAPE
    optional: dict[str, architectures.Shape] = {}
    for layer in range(config.sizes["layers"]):
        required |= {f"model.layers.{layer}.{name}": shape for name, shape in family.layer.items()}
        optional |= {f"model.layers.{layer}.{name}": shape for name, shape in family.optional.items()}
    return _in_numbers(required, config), _in_numbers(optional, config)


def _in_numbers(shapes: Mapping[str, architectures.Shape], config: Configuration) -> dict[str, tuple[int, ...]]:
    return {name: tuple(config.sizes[size] for size in shape) for name, shape in shapes.items()}


def _checked(config: Configuration, stored: Mapping[str, StoredTensor], base: Path) -> Mapping[str, StoredTensor]:
    """Return the tensors to export, in file order, or raise one BaseModelFault for all that do not fit."""
    required, optional = expected_tensors(config)
    known = required | optional
    # A tied model's own copy of the output matrix is not used: Transformers ties it again on loading.
    spare = {name for name in stored if name.endswith(architectures.IGNORED_SUFFIX)}
    spare |= {architectures.OUTPUT} if config.tied else set()
    faults = [f"no {name}" for name in required.keys() - stored.keys()]
    faults += [f"{name} is not a part of {config.class_name}" for name in stored.keys() - known.keys() - spare]
    faults += [
        f"{name} has the shape {stored[name].shape}, not {shape}"
        for name, shape in known.items()
        if name in stored and stored[name].shape != shape
    ]
    if faults:
        raise BaseModelFault(
            f"The weights in {base} are not those of its config.json: {'; '.join(sorted(faults))}.",
            "Fetch the base model again, or choose another.",
        )
    return {name: stored[name] for name in known if name in stored}


def _model_tensors(
    config: Configuration,
    stored: Mapping[str, StoredTensor],
    changes: Adapter,
    weighed: Mapping[str, NDArray[np.float32]],
    quantization: str,
) -> Iterator[PlannedTensor]:
    family, sizes = config.architecture, config.sizes
    unshared = sizes["heads"] == sizes["key_heads"]
    is_70b = family.layers_of_70b == sizes["layers"] and not (family.shared_70b and unshared)
    model = policy.ModelShape(layers=sizes["layers"], tied=config.tied, is_70b=is_70b)
    for name, own in stored.items():
        source = changes.replacements.get(name, own)
        place = placed(config, name, source.shape[0])
        yield PlannedTensor(
            name=place.name,
            shape=source.shape,
            type=policy.tensor_type(place.name, source.shape, quantization, model),
            origin=f"{source.name} in {source.path}",
            rows=_Merged(source, changes.deltas.get(name), place).rows,
            importance=weighed.get(name),
        )


@dataclass(frozen=True)
class _Merged:
    """The final values of a checkpoint's tensor: its own, in llama.cpp's order of rows, with what is added to them."""

    source: StoredTensor
    delta: Delta | None
    place: Placement

    def rows(self, start: int, stop: int) -> NDArray[np.float32]:
        order = self.place.order
        which = slice(start, stop) if order is None else order[start:stop]
        values = adapter.merged(self.source, self.delta, which)
        if self.place.offset:
            values += np.float32(self.place.offset)
        return values


def _factor_tensors(config: Configuration) -> Iterator[PlannedTensor]:
    for name, factors in rope.factor_tensors(config.rope):
        yield PlannedTensor(
            name=name,
            shape=factors.shape,
            type="F32",
            origin="rotary scaling in config.json",
            rows=partial(_part, factors),
        )


def _part(values: NDArray[np.float32], start: int, stop: int) -> NDArray[np.float32]:
    return values[start:stop]
