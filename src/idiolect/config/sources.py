"""Where the options in force come from: five sources, laid over each other.

Later wins: built-in default, etc/training.json, profiles/<user>/etc/training.json, environment, flag.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
from pydantic import ValidationError

from idiolect.config.options import Options, typed
from idiolect.errors import OptionFault
from idiolect.home import Home

#: Keys of MetaHuman OS files that carry no setting of ours. The base model's own chat template is always used.
LET_THROUGH = frozenset({"comment", "notes", "chat_template", "full_fine_tune"})


_PREFIXES = ("METAHUMAN_", "IDIOLECT_")


@dataclass(frozen=True)
class Settings:
    """The options in force, and where each came from."""

    options: Options
    origins: Mapping[str, str]


def resolve(home: Home, person: str, environ: Mapping[str, str], flags: Mapping[str, Any]) -> Settings:
    """Lay the five sources over each other.

    `flags` holds option names; a value of None was not given. Raises OptionFault with every fault of every source.
    """
    layers = {
        **{_shown(home, path): settings_in(path) for path in _files(home, person)},
        "environment": _from_environment(environ),
        "command line": {name: value for name, value in flags.items() if value is not None},
    }
    faults = [f"{where}: {fault}" for where, layer in layers.items() for fault in _unknown(layer)]
    values: dict[str, Any] = {}
    origins = dict.fromkeys(Options.model_fields, "default")
    for where, layer in layers.items():
        known = {k: v for k, v in layer.items() if k in Options.model_fields}
        values |= known
        origins |= dict.fromkeys(known, where)
    try:
        options = Options.model_validate(values)
    except ValidationError as error:
        faults += [f"{origins[str(e['loc'][0])]}: {e['loc'][0]}: {e['msg']}" for e in error.errors()]
    if faults:
        raise OptionFault("; ".join(faults), "Mend these settings; `idiolect options` lists them all.")
    return Settings(options, origins)


def _files(home: Home, person: str) -> list[Path]:
    return [home.training_json, home.profile(person).training_json]


def _shown(home: Home, path: Path) -> str:
    return str(path.relative_to(home.root))


def settings_in(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    try:
        settings = msgspec.json.decode(path.read_bytes())
    except (msgspec.DecodeError, UnicodeDecodeError, OSError) as error:
        raise OptionFault(f"{path} cannot be read: {error}", "It must be one JSON object.") from error
    if not isinstance(settings, dict):
        raise OptionFault(f"{path} does not hold a JSON object.", 'Write {"option": value, …}.')
    return {key: value for key, value in settings.items() if key not in LET_THROUGH}


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
