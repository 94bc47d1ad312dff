"""A model in Ollama: under a name for trying it, under its own, and under the names that people use.

<user>:<run-date> is the model's own; <user>:latest, :dual, :emulation and :agent are what people call. These four
share its files, and differ in their system message. What is tried is <user>:trial-<run>: whatever goes wrong with it,
no other name was touched.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from idiolect.config import MODES
from idiolect.curation import Message
from idiolect.errors import IdiolectError, NoOllama, NoRoom, OllamaRefused
from idiolect.home import Profile
from idiolect.serving import Model, by_llama_cpp, by_server, differences, ollama
from idiolect.workflow.archive import ollama_names
from idiolect.workflow.archive.registry import PLAIN, Published, Registry, context_of, read_registry
from idiolect.workflow.planning.room import check_room

HELLO = (Message("user", "Hello. How are you?"),)


@dataclass(frozen=True)
class Standing:
    """Where a model stands in Ollama: its own name or None, what is to be said, and what this has made there."""

    tag: str | None
    said: str
    made: tuple[str, ...] = ()
    names: tuple[str, ...] = ()

    def noted(self, registry: Registry) -> Registry:
        """Return a registry that knows of it."""
        return ollama_names.settled(registry, self.made, self.names)


def if_there(do: Callable[[ollama.Ollama], str]) -> tuple[bool, str]:
    """Do something in Ollama; returns whether it was done, and what is to be said."""
    standing = standing_there(lambda there: Standing("", do(there)))
    return standing.tag is not None, standing.said


def standing_there(do: Callable[[ollama.Ollama], Standing]) -> Standing:
    """Let a model stand in Ollama, if it is there and can: whatever it cannot do is said, and stops nothing here."""
    try:
        return do(ollama.reach())
    except (NoOllama, OllamaRefused, NoRoom) as error:
        return Standing(None, f"not in Ollama: {error.problem.rstrip('.')}")


def take_in(there: ollama.Ollama, profile: Profile, model: Published, loaded: Model) -> Standing:
    """Create a model under a name for trying, try it, and let its own name and those that people use stand for it."""
    there = there.within((profile.root / model.gguf).stat().st_size)
    registry = read_registry(profile)
    tag = own_name(there, profile, model, registry)
    trial = ollama.model_name(profile.person, f"trial-{model.label}")
    called = ollama_names.called(profile.person)
    ollama_names.claim(there, profile, [trial, tag, *called])
    # Of what an earlier publication had set out to set nobody knows how far it came.
    tried, untouched = [trial], {tag, *called} - {*registry.begun}
    try:
        create(there, profile, model, trial)
        _check_rendering(there, trial, loaded, model.system_messages[PLAIN])
        ollama.chat(there, trial, HELLO)
        untouched = set()
        if tag not in {p.ollama for p in (registry.published, *registry.before) if p}:
            tried.append(tag)
        ollama.copy(there, trial, tag)
        made = _name(there, profile, model, tag)
        ollama.delete(there, trial)
    except IdiolectError:
        ollama_names.give_up(there, profile, tried, untouched)
        raise
    said = f"`ollama run {ollama.model_name(profile.person, 'latest')}`"
    return Standing(tag, said, made, (trial, tag, *called))


def bring_back(there: ollama.Ollama, profile: Profile, model: Published, talking: Callable[[], Model]) -> Standing:
    """Let the names that people use stand for a model that was published before; `talking` loads it if need be."""
    there = there.within((profile.root / model.gguf).stat().st_size)
    registry, standing = read_registry(profile), ollama.models(there)
    tag = model.ollama
    if tag is None or tag not in standing or ollama_names.foreign(standing, registry, [tag]):
        return take_in(there, profile, model, talking())
    called = ollama_names.called(profile.person)
    ollama_names.claim(there, profile, called)
    return Standing(tag, f"in {version(there)} too", _name(there, profile, model, tag), (tag, *called))


def create(there: ollama.Ollama, profile: Profile, model: Published, name: str) -> None:
    """Create a model under a name, with the system message that it has when it is called plainly."""
    gguf = profile.root / model.gguf
    size = gguf.stat().st_size
    there = there if there.until else there.within(size)
    if model.go_template is None and not there.renders_jinja:
        raise OllamaRefused(
            f"{version(there)} cannot render this model's chat template.", "Update Ollama to 0.30 or newer."
        )

    def check_its_disk() -> None:
        if there.here and (folder := ollama.disk()):
            check_room(folder, size * (2 if there.renders_jinja else 1))

    files = {gguf.name: ollama.push_file(there, gguf, check_its_disk)}
    _make(there, name, profile, model, model.system_messages[PLAIN], files=files)


def _make(there: ollama.Ollama, name: str, profile: Profile, model: Published, system: str, **source: object) -> None:
    parameters = ollama.parameters(model.turn_end, context_of(profile, model))
    ollama.create(there, name, system=system, template=model.go_template, parameters=parameters, **source)


def _check_rendering(there: ollama.Ollama, tag: str, loaded: Model, system: str) -> None:
    """Compare what Ollama makes of the talks with what llama.cpp does. Raises OllamaRefused if they differ."""
    if not there.shows_renderings:
        return
    here = by_llama_cpp(loaded, system)
    parted = differences(here, by_server(lambda talk: ollama.rendered(there, tag, talk), loaded, tuple(here)))
    if parted:
        raise OllamaRefused(
            f"{version(there)} would serve the model otherwise than it was trained; {len(parted)} of {len(here)} "
            f"talks differ. {parted[0]}",
            "OLLAMA_GO_TEMPLATE must not be set. See them all: idiolect check-template --run LABEL",
        )


def _name(there: ollama.Ollama, profile: Profile, model: Published, tag: str) -> tuple[str, ...]:
    """Let the plain name stand for a model, and one a mode for the same files under that mode's system message.

    Returns the digests of all that these names and its own stand for.
    """
    ollama.copy(there, tag, ollama.model_name(profile.person, "latest"))
    for mode in MODES:
        system, name = model.system_messages[mode], ollama.model_name(profile.person, mode)
        if system == model.system_messages[PLAIN]:
            ollama.copy(there, tag, name)
        elif system:
            _make(there, name, profile, model, system, **{"from": tag})
        else:  # what is made from another model cannot lose its system message
            gguf = profile.root / model.gguf
            _make(there, name, profile, model, "", files={gguf.name: ollama.push_file(there, gguf)})
    standing = ollama.models(there)
    return tuple({standing.get(name, ""): None for name in (tag, *ollama_names.called(profile.person))})


def own_name(there: ollama.Ollama, profile: Profile, model: Published, registry: Registry) -> str:
    """Return a model's name in Ollama: its date, or its whole label where another model has the date."""
    others = [other for other in (registry.published, *registry.before) if other and other.label != model.label]
    by_date = ollama.model_name(profile.person, model.label[:10])
    if by_date in {other.ollama for other in others}:
        return ollama.model_name(profile.person, model.label)
    strange = ollama_names.foreign(ollama.models(there), registry, [by_date])
    return ollama.model_name(profile.person, model.label) if strange else by_date


def version(there: ollama.Ollama) -> str:
    return f"Ollama {'.'.join(map(str, there.version))}"
