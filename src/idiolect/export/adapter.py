"""A LoRA adapter as PEFT saves it: which base tensor each pair of matrices changes, and by how much.

PEFT's `adapter_config.json` and `adapter_model.safetensors`; the delta of a linear layer is scaling * B @ A. Modules
that were trained whole (`modules_to_save`) stand there as they are.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import sqrt
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from idiolect.errors import BaseModelFault
from idiolect.export import checkpoint
from idiolect.export.architectures import EMBEDDING, OUTPUT
from idiolect.export.checkpoint import StoredTensor
from idiolect.export.configuration import json_object

# Settings that leave the delta what the formula says, whatever their value ...
HARMLESS = {
    "alpha_pattern",
    "auto_mapping",
    "base_model_name_or_path",
    "exclude_modules",
    "inference_mode",
    "layers_pattern",
    "layers_to_transform",
    "lora_alpha",
    "lora_dropout",
    "megatron_core",
    "modules_to_save",
    "peft_version",
    "qalora_group_size",
    "r",
    "rank_pattern",
    "revision",
    "runtime_config",
    "target_modules",
    "task_type",
    "use_rslora",
}
# ... and those that do at these values. Some other ways of initializing change the base weights as well.
REQUIRED = {
    "peft_type": ("LORA",),
    "bias": ("none",),
    "ensure_weight_tying": (False, None),
    "init_lora_weights": (True, False, "gaussian", "orthogonal"),
}

TENSOR_NAME = re.compile(
    r"base_model\.model\.(?P<module>.+)\.(?P<part>lora_A|lora_B|lora_embedding_A|lora_embedding_B|base_layer)(\.weight)?"
)
WHOLE_NAME = re.compile(r"base_model\.model\.(?P<tensor>(?P<module>.+)\.(weight|bias))")


@dataclass(frozen=True)
class Delta:
    """What is added to one base tensor: scaling * B @ A, or the transpose of that for an embedding."""

    a: StoredTensor  # (rank, columns); of an embedding (rank, rows)
    b: StoredTensor  # (rows, rank); of an embedding (columns, rank)
    scaling: float
    embedding: bool

    @property
    def shape(self) -> tuple[int, int]:
        rows, columns = self.b.shape[0], self.a.shape[1]
        return (columns, rows) if self.embedding else (rows, columns)


def merged(source: StoredTensor, delta: Delta | None, which: Any) -> NDArray[np.float32]:
    """Return rows of a tensor with what an adapter adds to them."""
    values = checkpoint.read(source, which)
    if delta is not None:
        values += rows(delta, which)
    return values


def rows(delta: Delta, which: Any) -> NDArray[np.float32]:
    """Return the rows `which` (a slice or an array of indices) of a delta."""
    if delta.embedding:
        left = checkpoint.read(delta.a, (slice(None), which)).T
        right = checkpoint.read(delta.b).T
    else:
        left, right = checkpoint.read(delta.b, which), checkpoint.read(delta.a)
    product: NDArray[np.float32] = left @ right
    product *= np.float32(delta.scaling)
    return product


@dataclass(frozen=True)
class Adapter:
    """What an adapter does to the tensors of a base, by their names there."""

    deltas: Mapping[str, Delta] = field(default_factory=dict)
    replacements: Mapping[str, StoredTensor] = field(default_factory=dict)

    def touches(self, name: str) -> bool:
        return name in self.deltas or name in self.replacements


def fitted(
    folder: Path | None, base: Mapping[str, StoredTensor], *, tied: bool
) -> tuple[Adapter, Mapping[str, StoredTensor]]:
    """Return what the adapter in `folder` (None: nothing) changes, and the base tensors that then stand for themselves.

    A tied model's output matrix is its embedding, until an adapter changes one of the two and not the other.
    """
    if folder is None:
        return Adapter(), base
    both = {**base, OUTPUT: base[EMBEDDING]} if tied and EMBEDDING in base else base
    changes = read(folder, both)
    return changes, both if changes.touches(OUTPUT) or changes.touches(EMBEDDING) else base


def read(folder: Path, base: Mapping[str, StoredTensor]) -> Adapter:
    """Return what the adapter in `folder` changes in `base`.

    Raises one BaseModelFault that lists every setting that is not understood, or else every tensor that finds
    no partner, no base tensor, or one of another shape.
    """
    settings = json_object(folder / "adapter_config.json")
    _check_settings(settings, folder)
    tensors = checkpoint.header(folder / "adapter_model.safetensors")
    replacements, faults = _replacements(settings, tensors, base)
    whole = {stored.name for stored in replacements.values()}
    pairs, unpaired = _paired({name: stored for name, stored in tensors.items() if name not in whole}, base)
    faults += unpaired
    found = {}
    for module, parts in sorted(pairs.items()):
        rank = _of_module(settings, "rank_pattern", "r", module)
        alpha = _of_module(settings, "alpha_pattern", "lora_alpha", module)
        delta = _delta(parts, alpha / (sqrt(rank) if settings.get("use_rslora") else rank))
        fault = _fault(module, parts, delta, base, rank)
        if fault:
            faults.append(fault)
        elif delta:
            found[f"{module}.weight"] = delta
    if not found and not replacements and not faults:
        faults.append("it holds no LoRA matrices")
    if faults:
        raise BaseModelFault(
            f"The adapter in {folder} does not fit this base model: {'; '.join(faults)}.",
            "Name the base model that the adapter was trained on.",
        )
    return Adapter(found, replacements)


def _of_module(settings: dict[str, Any], patterns: str, otherwise: str, module: str) -> Any:
    """Return a module's rank or alpha: that of the first pattern that its name ends with (PEFT's get_pattern_key)."""
    for pattern, value in (settings.get(patterns) or {}).items():
        if re.match(rf"(.*\.)?({pattern})$", module):
            return value
    return settings[otherwise]


def _replacements(
    settings: dict[str, Any], tensors: Mapping[str, StoredTensor], base: Mapping[str, StoredTensor]
) -> tuple[dict[str, StoredTensor], list[str]]:
    """Find the modules that were trained whole; the second value says which do not fit."""
    modules = settings.get("modules_to_save") or []
    found, faults = {}, []
    for name, stored in sorted(tensors.items()):
        match = WHOLE_NAME.fullmatch(name)
        if not match or not match["module"].endswith(tuple(modules)):
            continue
        found[match["tensor"]] = stored
        target = base.get(match["tensor"])
        if target is None:
            faults.append(f"{name} finds no base tensor {match['tensor']}")
        elif target.shape != stored.shape:
            faults.append(f"{name} has the shape {stored.shape}, where {match['tensor']} is {target.shape}")
    return found, faults


def _check_settings(settings: dict[str, Any], folder: Path) -> None:
    unknown = [
        f"{key}={value!r}"
        for key, value in sorted(settings.items())
        if (value not in REQUIRED[key] if key in REQUIRED else value and key not in HARMLESS)
    ]
    unknown += [f"no {key}" for key in ("r", "lora_alpha") if not settings.get(key)]
    if unknown:
        raise BaseModelFault(
            f"The adapter in {folder} cannot be merged by the export: {', '.join(unknown)}.",
            "Train a plain LoRA or rsLoRA adapter, or merge this one with PEFT first.",
        )


def _paired(
    tensors: Mapping[str, StoredTensor], base: Mapping[str, StoredTensor]
) -> tuple[dict[str, dict[str, StoredTensor]], list[str]]:
    """Sort adapter tensors by the module they belong to; the second value says which belong to none."""
    pairs: dict[str, dict[str, StoredTensor]] = defaultdict(dict)
    faults = []
    for name, stored in sorted(tensors.items()):
        match = TENSOR_NAME.fullmatch(name)
        if not match:
            faults.append(f"{name} is not a LoRA matrix")
        elif match["part"] != "base_layer":
            pairs[match["module"]][match["part"]] = stored
        # PEFT saves a copy of an embedding beside its LoRA: nothing to add, unless it has been resized.
        elif getattr(base.get(f"{match['module']}.weight"), "shape", None) != stored.shape:
            faults.append(f"{name} has the shape {stored.shape}, unlike its base tensor")
    return pairs, faults


def _delta(parts: Mapping[str, StoredTensor], scaling: float) -> Delta | None:
    for a, b, embedding in (("lora_A", "lora_B", False), ("lora_embedding_A", "lora_embedding_B", True)):
        if parts.keys() == {a, b}:
            return Delta(parts[a], parts[b], scaling, embedding)
    return None


def _fault(
    module: str,
    parts: Mapping[str, StoredTensor],
    delta: Delta | None,
    base: Mapping[str, StoredTensor],
    rank: int,
) -> str | None:
    names = " and ".join(stored.name for stored in parts.values())
    target = base.get(f"{module}.weight")
    if delta is None:
        return f"{names} without the other half"
    if target is None:
        return f"{names} find no base tensor {module}.weight"
    if delta.a.shape[:1] != (rank,) or delta.b.shape[1:] != (rank,) or len(delta.a.shape) != 2:
        return f"{names} have the shapes {delta.a.shape} and {delta.b.shape}, not of rank {rank}"
    if delta.shape != target.shape:
        return f"{names} make {delta.shape}, where {target.name} is {target.shape}"
    return None
