"""All that is decided before the first step: what every step needs is asked here, and refused early."""

from __future__ import annotations

import difflib
import importlib.util
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from idiolect.bases import BaseModel, context_length, reading_a_model
from idiolect.config import CurationRules, Mode, Options, Settings, curation_rules
from idiolect.config import resolve as resolve_settings
from idiolect.curation import Edit, read_edits
from idiolect.dataset import ChatTemplate, load_chat_template, system_messages
from idiolect.errors import EmptyProfile, MachineFault, MissingPart, UnknownPerson
from idiolect.export import check_exportable
from idiolect.home import Cycle, Home, Profile, Run, new_label
from idiolect.memories import memory_files, persona_name
from idiolect.serving import go_template
from idiolect.workflow.planning import room
from idiolect.workflow.planning.fitting import Job
from idiolect.workflow.planning.given import read_given
from idiolect.workflow.planning.going_on import find_base, merged
from idiolect.workflow.planning.system_prompt import with_own_prompt
from idiolect.workflow.planning.where import Machine, machine

#: So many characters of a label are its time.
_SECOND = len("YYYY-MM-DD-HHMMSS")


@dataclass(frozen=True)
class Asked:
    """What was typed: whose memories, and the options in the environment and on the command line (None: not given)."""

    person: str
    environ: Mapping[str, str]
    flags: Mapping[str, Any]


@dataclass(frozen=True)
class Data:
    """Whose memories, under which options and rules, with which system messages and edits."""

    profile: Profile
    settings: Settings
    rules: CurationRules
    systems: Mapping[Mode, str]
    edits: Sequence[Edit] = ()

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

    def longest(self, options: Options) -> int:
        """Return how many tokens a sample may have: no more than the model has positions for."""
        return min(options.max_seq_length, context_length(self.base.folder) or options.max_seq_length)

    @cached_property
    def go_template(self) -> str | None:
        """The chat template as one of Go, for an Ollama before 0.30."""
        return go_template(self.template, self.tokenizer)


@dataclass(frozen=True)
class Plan:
    """One run, decided: whose, on what, into which folder."""

    data: Data
    target: Target
    run: Run
    machine: Machine


def plan(
    home: Home, asked: Asked, cycle: Cycle, label: str | None = None, say: Callable[[str], None] = lambda _: None
) -> Plan:
    """Decide a run, a new one or the one called `label`. Every fault that can be known early is raised here.

    `say` hears of what takes long: merging the base model, where that is an earlier run's base and adapter.
    """
    data = plan_data(home, asked, cycle)
    _check_parts()
    room.check_room(home.root, room.ALWAYS)
    target = with_weights(home, data.profile, plan_target(home, data), say)
    run = data.profile.run(cycle, label or next_label(data.profile), data.options.quantization)
    with reading_a_model(target.base.name):
        check_exportable(target.base.folder, weighed=data.options.imatrix)
    room.check_room(home.root, room.ALWAYS + room.left_to_write(target.base.folder, run, data.options))
    return Plan(data, target, run, machine(home, Job(data.profile, run, data.options, target.base)))


def plan_data(home: Home, asked: Asked, cycle: Cycle | None = None) -> Data:
    """Decide whose memories are read, and how. Raises UnknownPerson, EmptyProfile, OptionFault, DataFault."""
    profile = known_person(home, asked.person)
    settings = resolve_settings(home, asked.person, asked.environ, asked.flags, cycle)
    if settings.options.dataset:
        read_given(Path(settings.options.dataset), home)
    else:
        profile_of(home, asked.person)
    settings = with_own_prompt(home, profile, settings)
    rules = curation_rules(profile.curation_json)
    systems = system_messages(persona_name(profile.persona, asked.person), settings.options, rules)
    return Data(profile, settings, rules, systems, read_edits(profile.edits))


def plan_target(home: Home, data: Data) -> Target:
    """Find the base model and its template. Raises BaseModelFault, also if the template cannot mark replies."""
    return target(home, data.profile, data.options.base_model)


def target(home: Home, profile: Profile, name: str) -> Target:
    """Find the base model of that name, and its template. Raises BaseModelFault.

    Of an earlier run's adapter it is the model that this stands on, whose config, tokenizer and template are the same;
    who needs the weights asks for `with_weights`.
    """
    base = BaseModel(name, find_base(home, profile, name).folder)
    with reading_a_model(name):
        template = load_chat_template(base.folder, home.schemas, base.name)
    return Target(base, template)


def with_weights(home: Home, profile: Profile, found: Target, say: Callable[[str], None] = lambda _: None) -> Target:
    """Return a base model with its own weights: base and adapter of an earlier run that kept no model are merged."""
    return Target(BaseModel(found.base.name, merged(home, profile, found.base.name, say)), found.template)


def next_label(profile: Profile) -> str:
    """Return the label of a run that begins now. Raises MachineFault where the clock has gone back behind another."""
    label = new_label()
    newest = max((run.label for run in profile.runs()), default="")
    if newest[:_SECOND] > label[:_SECOND]:
        raise MachineFault(
            f"This computer's clock says {label[:_SECOND]} UTC, and {profile.person} has a run of {newest[:_SECOND]}.",
            f"Set the clock; if that run's time is the wrong one, move its folder away: {newest}.",
        )
    return label


def known_person(home: Home, person: str) -> Profile:
    """Return a person's folder. Raises UnknownPerson."""
    profile = home.profile(person)
    if not home.knows(person):
        people = home.people()
        near = difflib.get_close_matches(person, people, n=1)
        hint = f"Did you mean {near[0]!r}?" if near else f"Known: {', '.join(people) or 'nobody yet'}."
        raise UnknownPerson(
            f"There is no profile of {person!r} in {home.root / 'profiles'}.",
            f"{hint} Memories go into profiles/<name>/memory/episodic/.",
        )
    return profile


def profile_of(home: Home, person: str) -> Profile:
    """Return a person's profile. Raises UnknownPerson, and EmptyProfile where there are no memories."""
    profile = known_person(home, person)
    if next(memory_files(profile), None) is None:
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
