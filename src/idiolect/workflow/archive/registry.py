"""out/registry.json: which model of a person is published, since when, and what was before it.

It is written whole or not at all, by whoever holds the registry's lock; it can be read at any time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from idiolect.config import MODES, Mode
from idiolect.errors import UserFault
from idiolect.files import DAMAGED, regular_bytes, remove, write_json
from idiolect.home import Home, Profile, Run
from idiolect.serving import CONTEXT, Offered
from idiolect.workflow.archive.runs import Finished, find_run, newest
from idiolect.workflow.archive.summary import read_summary

#: The mode that a model speaks in when it is called by its plain name.
PLAIN: Mode = "emulation"


class Published(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A model that is or was published, with all that serving it takes; `gguf` stands below the profile."""

    label: str
    cycle: str
    gguf: str
    since: datetime
    system_messages: Mapping[Mode, str]
    turn_end: str
    go_template: str | None = None
    ollama: str | None = None
    """Its own name in Ollama, if it got there."""
    context: int = 0
    """Tokens that it was trained on; 0 where it was published before this was noted."""


class Registry(msgspec.Struct, frozen=True, kw_only=True):
    """What is published, and what was before it: the last one first."""

    published: Published | None = None
    before: Sequence[Published] = ()
    made: Sequence[str] = ()
    """Digests of what this home has put into an Ollama; a name there that stands for something else is not ours."""
    begun: Sequence[str] = ()
    """Names in Ollama that a publication has set out to set, and has not come to its end."""


@dataclass(frozen=True)
class Voice:
    """A model file that can be talked with, and how it is spoken to in each mode."""

    gguf: Path
    system_messages: Mapping[Mode, str]
    label: str
    """The run that it comes from."""
    context: int
    """Tokens of a conversation that it was trained on."""


def read_registry(profile: Profile) -> Registry:
    """Read the registry, an empty one if there is none. Raises UserFault for a damaged one."""
    if not profile.registry.exists():
        return Registry()
    try:
        return msgspec.json.decode(regular_bytes(profile.registry), type=Registry)
    except DAMAGED as error:
        raise UserFault(
            f"{profile.registry} cannot be read: {error}",
            "Delete it and publish again: idiolect promote RUN --username NAME. No model is lost.",
        ) from error


def write_registry(profile: Profile, registry: Registry) -> None:
    """Write the registry, and remove what a killed writer left beside it; the caller holds its lock."""
    for partial in profile.out.glob(f".{profile.registry.name}.*"):
        remove(partial)
    write_json(profile.registry, registry)


def with_published(registry: Registry, model: Published) -> Registry:
    """Put a model in the place of the published one, which becomes the first of those before it."""
    earlier = [registry.published] if registry.published else []
    before = [p for p in (*earlier, *registry.before) if p.label != model.label]
    return msgspec.structs.replace(registry, published=model, before=before)


def rolled_back(registry: Registry, model: Published) -> Registry:
    """Put a model from before in the place of the published one, which goes to the end of the row."""
    at = next(n for n, p in enumerate(registry.before) if p.label == model.label)
    passed = [*registry.before[:at], *([registry.published] if registry.published else [])]
    return msgspec.structs.replace(registry, published=model, before=[*registry.before[at + 1 :], *passed])


def candidate(
    profile: Profile, run: Run, systems: Mapping[Mode, str], turn_end: str, go_template: str | None
) -> Published:
    """Return a run's model as it would be published now."""
    return Published(
        label=run.label,
        cycle=run.cycle.name,
        gguf=str(run.gguf.relative_to(profile.root)),
        since=datetime.now(UTC),
        system_messages=systems,
        turn_end=turn_end,
        go_template=go_template,
    )


def voice(home: Home, person: str, label: str | None = None) -> Voice:
    """Return what a person's model is talked with: that run, or the published one, or the newest.

    Raises UnknownPerson, and UserFault where there is none.
    """
    if label:
        found = find_run(home, label, person)
        return _voice(found)
    profile = home.profile(person)
    published = read_registry(profile).published
    if published and (profile.root / published.gguf).exists():
        gguf, context = profile.root / published.gguf, context_of(profile, published)
        return Voice(gguf, published.system_messages, published.label, context)
    return _voice(newest(home, person))


def _voice(found: Finished) -> Voice:
    return Voice(found.run.gguf, found.summary.system_messages, found.run.label, found.summary.holds)


def context_of(profile: Profile, model: Published) -> int:
    """Return how many tokens a published model was trained on; where the registry does not say so, its run does."""
    if model.context:
        return model.context
    summary = (profile.root / model.gguf).with_name("run-summary.json")
    try:
        return read_summary(summary).holds
    except (OSError, UserFault, msgspec.MsgspecError):
        return CONTEXT


def offered(home: Home, people: Sequence[str]) -> Mapping[str, Offered]:
    """Return name → what is published: of these people, or of everybody whose registry can be read.

    Raises UserFault for a damaged registry of one who is named, or if there is no other.
    """
    found, damaged = {}, []
    for person in people or home.people():
        profile = home.profile(person)
        try:
            model = read_registry(profile).published
        except UserFault as fault:
            damaged.append(fault)
            continue
        if model and (profile.root / model.gguf).exists():
            gguf, context = profile.root / model.gguf, context_of(profile, model)
            for tag, mode in (("latest", PLAIN), *((m, m) for m in MODES)):
                found[f"{person}:{tag}"] = Offered(gguf, model.system_messages.get(mode, ""), context)
    if damaged and (people or not found):
        raise damaged[0]
    return found


def overview(home: Home, person: str | None = None) -> list[dict[str, str]]:
    """Return a row for each model that is or was published: whose, what it is now, and where it is."""
    rows = []
    for name in [person] if person else home.people():
        registry = read_registry(home.profile(name))
        models = ([registry.published] if registry.published else []) + [*registry.before]
        rows += [_row(home.profile(name), model, registry) for model in models]
    return rows


def _row(profile: Profile, model: Published, registry: Registry) -> dict[str, str]:
    return {
        "person": profile.person,
        "state": "published" if model is registry.published else "before",
        "run": model.label,
        "cycle": model.cycle,
        "since": f"{model.since:%Y-%m-%d %H:%M}",
        "ollama": model.ollama or "",
        "file": model.gguf if (profile.root / model.gguf).exists() else "gone",
    }
