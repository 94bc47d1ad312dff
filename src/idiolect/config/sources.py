"""Where the options in force come from, laid over each other.

Later wins: built-in default, etc/training.json, profiles/<user>/etc/training.json (unless MetaHuman OS put it there),
.env, environment, flag. For a full fine-tune what is meant for it alone goes over the files: a built-in block, the
files' `full_fine_tune`, and etc/modes/<mode>.json for a run of one mode; where MetaHuman OS keeps these,
etc/fine-tune-config.json and etc/modes/<mode>-config.json, are each read before ours.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from idiolect.config.checkout import is_its_own, understood
from idiolect.config.dotenv_file import PREFIXES, option_names, stated_in_dotenv
from idiolect.config.options import FULL_FINE_TUNE, Options, typed
from idiolect.config.written import is_remark, line_of, settings_in
from idiolect.errors import OptionFault
from idiolect.home import Cycle, Home

#: The block of a settings file that is for full fine-tuning alone.
BLOCK = "full_fine_tune"

Layers = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Settings:
    """The options in force, where each came from, and what is to be said of the files once."""

    options: Options
    origins: Mapping[str, str]
    notes: tuple[str, ...] = ()


@dataclass
class _Read:
    """The settings files of a home as they are read: which file each layer is, and what is to be said of it."""

    home: Home
    paths: dict[str, Path] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    said: set[str] = field(default_factory=set)

    def understand(self, name: str, layer: dict[str, Any]) -> None:
        """Put a layer into our words; of each key of MetaHuman OS' it is said once what becomes of it."""
        new: dict[str, list[str]] = {}
        for key, what in understood(layer).items():
            if key not in self.said:
                self.said.add(key)
                new.setdefault(what, []).append(key)
        if new:
            words = "; ".join(f"{' and '.join(keys)} {what}" for what, keys in new.items())
            self.notes.append(f"{name}: {words}.")

    def layer(self, path: Path) -> Layers:
        """Read a file into a layer in our words."""
        name = self.home.shown(path)
        self.paths[name] = path
        settings = _stated(settings_in(path))
        self.understand(name, settings)
        return {name: settings} if settings else {}

    def meant_for_fine_tuning(self, path: Path) -> Layers:
        """Read a file of MetaHuman OS' fine-tune-cycle, whose `base_model` its own cycle passes over, too."""
        layers = self.layer(path)
        for name, layer in layers.items():
            if layer.pop("base_model", None) is not None:
                self.notes.append(f"{name}: base_model not used, etc/training.json or --base-model states it.")
        return layers

    def unknown(self, where: str, layer: Mapping[str, Any]) -> list[str]:
        keys = [key for key in layer if key not in Options.model_fields]
        return [f"unknown option {key!r}{_nearest(key)}{self.at(where, key)}" for key in keys]

    def at(self, where: str, key: str) -> str:
        """Say on which line of its file a setting stands, if it stands in a file."""
        path = self.paths.get(where.removesuffix(f": {BLOCK}"))
        line = line_of(path, key) if path else None
        return f" (line {line})" if line else ""


def resolve(
    home: Home, person: str, environ: Mapping[str, str], flags: Mapping[str, Any], cycle: Cycle | None = None
) -> Settings:
    """Lay the sources over each other, for a cycle or for a data set alone.

    `flags` holds option names; a value of None was not given. Raises OptionFault with every fault of every source.
    """
    read = _Read(home)
    files = read.layer(home.training_json) | _of_person(read, person)
    blocks = {f"{where}: {BLOCK}": _block(where, layer) for where, layer in files.items()}
    for where, block in blocks.items():
        read.understand(where, block)
    asked: Layers = {
        ".env": _from_environment(stated_in_dotenv(home)),
        "environment": _from_environment(environ),
        "command line": {name: value for name, value in flags.items() if value is not None},
    }
    for where in (".env", "environment"):
        read.understand(where, asked[where])
    layers = files | asked
    if cycle and cycle.trains == "model":
        mode = _merged(layers).get("mode")
        before = {"default for fine-tuning": FULL_FINE_TUNE} | read.meant_for_fine_tuning(home.fine_tune_config)
        layers = files | before | blocks | _mode_layers(read, mode) | asked
    faults = [f"{where}: {fault}" for where, layer in (blocks | layers).items() for fault in read.unknown(where, layer)]
    origins = dict.fromkeys(Options.model_fields, "default")
    for where, layer in layers.items():
        origins |= dict.fromkeys(layer.keys() & Options.model_fields.keys(), where)
    try:
        options = Options.model_validate(_merged(layers))
    except ValidationError as error:
        for e in error.errors():
            key = str(e["loc"][0])
            faults.append(f"{origins[key]}: {_typed(key, origins[key])}{e['msg']}{read.at(origins[key], key)}")
    if faults:
        raise OptionFault("; ".join(faults), "Mend these settings; `idiolect options` lists them all.")
    return Settings(options, origins, tuple(read.notes))


def _typed(key: str, where: str) -> str:
    """Name an option as it was given: of the environment, by its variable, too."""
    env = typed(Options.model_fields[key]).env
    return f"{key} (METAHUMAN_{env}): " if env and where in (".env", "environment") else f"{key}: "


def _of_person(read: _Read, person: str) -> Layers:
    """Return a person's own training.json; the one that MetaHuman OS puts into a profile says nothing of them."""
    path = read.home.profile(person).training_json if person else read.home.training_json
    if path == read.home.training_json or not path.exists():
        return {}
    if is_its_own(settings_in(path), settings_in(read.home.training_json)):
        read.notes.append(
            f"{read.home.shown(path)} is passed over: it is the one that MetaHuman OS writes into each profile "
            "and never reads. Change a value, and the file is yours."
        )
        return {}
    return read.layer(path)


def _stated(settings: dict[str, Any]) -> dict[str, Any]:
    """Leave out what is null and may not be: to MetaHuman OS' trainers that is as good as not there."""
    must = {name for name, declared in Options.model_fields.items() if declared.default is not None}
    return {key: value for key, value in settings.items() if value is not None or key not in must}


def _merged(layers: Layers) -> dict[str, Any]:
    return {k: v for layer in layers.values() for k, v in layer.items() if k in Options.model_fields}


def _mode_layers(read: _Read, mode: Any) -> Layers:
    if not mode:
        return {}
    home = read.home
    return read.meant_for_fine_tuning(home.mode_config(str(mode))) | read.layer(home.mode_json(str(mode)))


def _block(where: str, layer: dict[str, Any]) -> dict[str, Any]:
    """Take the block for full fine-tuning out of a settings file."""
    block = layer.pop(BLOCK, {})
    if not isinstance(block, dict):
        raise OptionFault(f"{where}: {BLOCK} is no JSON object.", 'Write {"option": value, …}.')
    return {key: value for key, value in block.items() if not is_remark(key)}


def _from_environment(environ: Mapping[str, str]) -> dict[str, Any]:
    found = {}
    for name, declared in Options.model_fields.items():
        env = typed(declared).env
        for prefix in PREFIXES:
            if env and environ.get(prefix + env):
                found[name] = environ[prefix + env]
    return found


def our_part(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment variables that are options of ours."""
    return {name: environ[name] for name in option_names() if name in environ}


def _nearest(key: str) -> str:
    near = difflib.get_close_matches(key, Options.model_fields, n=1, cutoff=0.5)
    return f" (did you mean {near[0]!r}?)" if near else ""
