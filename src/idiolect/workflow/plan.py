"""All that is decided before the first step: what every step needs is asked here, and refused early."""

from __future__ import annotations

import difflib
import importlib.util
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from idiolect.bases import BaseModel, resolve
from idiolect.config import CurationRules, Mode, Options, Settings, curation_rules
from idiolect.config import resolve as resolve_settings
from idiolect.curation import Message
from idiolect.dataset import ChatTemplate, load_chat_template, system_messages
from idiolect.errors import EmptyProfile, MissingPart, NoRoom, UnknownPerson
from idiolect.export import check_exportable, estimate_bytes
from idiolect.home import Cycle, Home, Profile, Run, new_label
from idiolect.memories import persona_name

_MB = 1_000_000
#: What is needed whatever the model: data set, logs, and the embedded base model unpacked.
_ROOM_ALWAYS = 400 * _MB


@dataclass(frozen=True)
class Data:
    """Whose memories, under which options and rules, with which system messages."""

    profile: Profile
    settings: Settings
    rules: CurationRules
    systems: Mapping[Mode, str]

    @property
    def options(self) -> Options:
        return self.settings.options


@dataclass(frozen=True)
class Target:
    """What the data is written for: a base model and its chat template."""

    base: BaseModel
    template: ChatTemplate

    @property
    def tokenizer(self) -> Path:
        return self.base.folder / "tokenizer.json"


@dataclass(frozen=True)
class Plan:
    """One run, decided: whose, on what, into which folder."""

    data: Data
    target: Target
    run: Run
    quantization: str


def plan(  # noqa: PLR0913 - what a run is asked for by
    home: Home,
    person: str,
    cycle: Cycle,
    environ: Mapping[str, str],
    flags: Mapping[str, Any],
    *,
    label: str | None = None,
) -> Plan:
    """Decide a run, a new one or the one called `label`. Every fault that can be known early is raised here."""
    data = plan_data(home, person, environ, flags)
    _check_parts()
    check_room(home.root, _ROOM_ALWAYS)
    target = plan_target(home, data.options)
    quantization = data.options.quantization or cycle.quantization
    check_exportable(target.base.folder)
    check_room(home.root, _ROOM_ALWAYS + _room_for(target.base.folder, quantization))
    return Plan(data, target, data.profile.run(cycle, label or new_label()), quantization)


def plan_data(home: Home, person: str, environ: Mapping[str, str], flags: Mapping[str, Any]) -> Data:
    """Decide whose memories are read, and how. Raises UnknownPerson, EmptyProfile and OptionFault."""
    profile = _profile(home, person)
    settings = resolve_settings(home, person, environ, flags)
    rules = curation_rules(profile.curation_json)
    systems = system_messages(persona_name(profile.persona, person), settings.options, rules)
    return Data(profile, settings, rules, systems)


def plan_target(home: Home, options: Options) -> Target:
    """Find the base model and its template. Raises BaseModelFault, also if the template cannot mark replies."""
    base = resolve(options.base_model, home.cache)
    template = load_chat_template(base.folder, home.schemas, base.name)
    template.render_learned([Message("system", "?"), Message("user", "?"), Message("assistant", "!")])
    return Target(base, template)


def check_room(folder: Path, wanted: int) -> None:
    """Raise NoRoom unless the disk of `folder` (which need not exist yet) has `wanted` bytes free."""
    existing = next(f for f in (folder, *folder.absolute().parents) if f.exists())
    free = shutil.disk_usage(existing).free
    if free < wanted:
        raise NoRoom(
            f"{folder}: {free / _MB:,.0f} MB are free on this disk, {wanted / _MB:,.0f} MB are needed.",
            "Free some room, or set IDIOLECT_HOME to a folder on a larger disk.",
        )


def _profile(home: Home, person: str) -> Profile:
    people = home.people()
    if person not in people:
        near = difflib.get_close_matches(person, people, n=1)
        hint = f"Did you mean {near[0]!r}?" if near else f"Known: {', '.join(people) or 'nobody yet'}."
        raise UnknownPerson(
            f"There is no profile of {person!r} in {home.root / 'profiles'}.",
            f"{hint} Memories go into profiles/<name>/memory/episodic/.",
        )
    profile = home.profile(person)
    if not any(profile.memories.rglob("*.json")):
        raise EmptyProfile(
            f"{person} has no memories: there is no *.json file in {profile.memories}.",
            "Put some there, or set IDIOLECT_HOME (or --home) to where they are.",
        )
    return profile


def _check_parts() -> None:
    needed = ("torch", "transformers", "peft", "accelerate", "gguf", "xllamacpp")
    missing = [name for name in needed if importlib.util.find_spec(name) is None]
    if missing:
        raise MissingPart(f"Not installed: {', '.join(missing)}.", "Install them: pip install 'idiolect[all]'")


def _room_for(base: Path, quantization: str) -> int:
    """Estimate what a run writes: the GGUF, and adapter and checkpoints, far less than a tenth of the base."""
    weights = sum(f.stat().st_size for f in base.glob("*.safetensors"))
    return estimate_bytes(base, quantization) + weights // 10
