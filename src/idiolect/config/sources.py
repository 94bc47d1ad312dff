"""Where the options in force come from, laid over each other.

Later wins: built-in default, etc/training.json, profiles/<user>/etc/training.json, environment, flag. For a full
fine-tune what is meant for it alone goes over the files: a built-in block, the files' `full_fine_tune`, and
etc/modes/<mode>.json for a run of one mode.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
from pydantic import ValidationError

from idiolect.config.options import FULL_FINE_TUNE, Options, typed
from idiolect.errors import OptionFault
from idiolect.home import Cycle, Home

#: Keys of MetaHuman OS files that carry no setting of ours. The base model's own chat template is always used.
LET_THROUGH = frozenset({"comment", "notes", "chat_template"})
#: The block of a settings file that is for full fine-tuning alone.
BLOCK = "full_fine_tune"

_PREFIXES = ("METAHUMAN_", "IDIOLECT_")
Layers = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Settings:
    """The options in force, and where each came from."""

    options: Options
    origins: Mapping[str, str]


def resolve(
    home: Home, person: str, environ: Mapping[str, str], flags: Mapping[str, Any], cycle: Cycle | None = None
) -> Settings:
    """Lay the sources over each other, for a cycle or for a data set alone.

    `flags` holds option names; a value of None was not given. Raises OptionFault with every fault of every source.
    """
    files = {_shown(home, path): _training_settings(path) for path in _files(home, person)}
    blocks = {f"{where}: {BLOCK}": _block(where, layer) for where, layer in files.items()}
    asked: Layers = {
        "environment": _from_environment(environ),
        "command line": {name: value for name, value in flags.items() if value is not None},
    }
    layers = files | asked
    if cycle and cycle.trains == "model":
        mode = _merged(files | asked).get("mode")
        layers = files | {"default for fine-tuning": FULL_FINE_TUNE} | blocks | _mode_layer(home, mode) | asked
    faults = [f"{where}: {fault}" for where, layer in (blocks | layers).items() for fault in _unknown(layer)]
    origins = dict.fromkeys(Options.model_fields, "default")
    for where, layer in layers.items():
        origins |= dict.fromkeys(layer.keys() & Options.model_fields.keys(), where)
    try:
        options = Options.model_validate(_merged(layers))
    except ValidationError as error:
        faults += [f"{origins[str(e['loc'][0])]}: {e['loc'][0]}: {e['msg']}" for e in error.errors()]
    if faults:
        raise OptionFault("; ".join(faults), "Mend these settings; `idiolect options` lists them all.")
    return Settings(options, origins)


def _merged(layers: Layers) -> dict[str, Any]:
    return {k: v for layer in layers.values() for k, v in layer.items() if k in Options.model_fields}


def _mode_layer(home: Home, mode: Any) -> Layers:
    path = home.mode_json(str(mode))
    return {_shown(home, path): _training_settings(path)} if mode else {}


def _block(where: str, layer: dict[str, Any]) -> dict[str, Any]:
    """Take the block for full fine-tuning out of a settings file."""
    block = layer.pop(BLOCK, {})
    if not isinstance(block, dict):
        raise OptionFault(f"{where}: {BLOCK} is no JSON object.", 'Write {"option": value, …}.')
    return {key: value for key, value in block.items() if key not in LET_THROUGH}


def _files(home: Home, person: str) -> list[Path]:
    return [home.training_json, home.profile(person).training_json]


def _shown(home: Home, path: Path) -> str:
    return str(path.relative_to(home.root))


def settings_in(path: Path) -> dict[str, Any]:
    """Read a settings file; one that is not there has none. Raises OptionFault for one that cannot be read."""
    if not path.exists():
        return {}
    try:
        settings = msgspec.json.decode(path.read_bytes())
    except (msgspec.DecodeError, UnicodeDecodeError, OSError) as error:
        raise OptionFault(f"{path} cannot be read: {error}", "It must be one JSON object.") from error
    if not isinstance(settings, dict):
        raise OptionFault(f"{path} does not hold a JSON object.", 'Write {"option": value, …}.')
    return {key: value for key, value in settings.items() if key not in LET_THROUGH}


def _training_settings(path: Path) -> dict[str, Any]:
    """Read a file of options; MetaHuman OS states the type of the GGUF in a block of its own."""
    settings = settings_in(path)
    conversion = settings.pop("gguf_conversion", None)
    if isinstance(conversion, dict) and "quantization_type" in conversion:
        settings.setdefault("quantization", conversion["quantization_type"])
    return settings


def _from_environment(environ: Mapping[str, str]) -> dict[str, Any]:
    found = {}
    for name, field in Options.model_fields.items():
        env = typed(field).env
        for prefix in _PREFIXES:
            if env and environ.get(prefix + env):
                found[name] = environ[prefix + env]
    return found


def our_part(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment variables that are options of ours."""
    names = {typed(field).env for field in Options.model_fields.values()} - {None}
    return {f"{p}{n}": environ[f"{p}{n}"] for p in _PREFIXES for n in names if f"{p}{n}" in environ}


def _unknown(layer: Mapping[str, Any]) -> list[str]:
    return [f"unknown option {key!r}{_nearest(key)}" for key in layer if key not in Options.model_fields]


def _nearest(key: str) -> str:
    near = difflib.get_close_matches(key, Options.model_fields, n=1, cutoff=0.5)
    return f" (did you mean {near[0]!r}?)" if near else ""
