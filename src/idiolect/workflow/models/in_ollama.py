"""A model in Ollama: under a name of its own, tried there, then under the names that people use.

<user>:<run-date> is the model's own; <user>:latest, :dual, :emulation and :agent are what people call. These four
share its files, and differ in their system message.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from idiolect.config import MODES
from idiolect.curation import Message
from idiolect.errors import IdiolectError, NoOllama, NoRoom, OllamaRefused, RunFailed
from idiolect.home import Profile
from idiolect.serving import Model, by_llama_cpp, by_server, differences, ollama
from idiolect.workflow.archive.registry import PLAIN, Published, context_of
from idiolect.workflow.planning.room import check_room

HELLO = (Message("user", "Hello. How are you?"),)


def if_there(do: Callable[[ollama.Ollama], str]) -> tuple[bool, str]:
    """Do something in Ollama; returns whether it was done, and what is to be said."""
    try:
        return True, do(ollama.reach())
    except (NoOllama, OllamaRefused, NoRoom) as error:
        return False, f"not in Ollama: {error.problem.rstrip('.')}"


def take_in(there: ollama.Ollama, profile: Profile, model: Published, tag: str, loaded: Model) -> str:
    """Create a model under a name of its own, try it, and let the names that people use stand for it."""
    create(there, profile, model, tag)
    try:
        _check_rendering(there, tag, loaded, model.system_messages[PLAIN])
        ollama.chat(there, tag, HELLO)
    except IdiolectError:
        ollama.delete(there, tag)
        raise
    _name(there, profile, model, tag)
    return f"`ollama run {ollama.model_name(profile.person, 'latest')}`"


def bring_back(there: ollama.Ollama, profile: Profile, model: Published, tag: str, talking: Callable[[], Model]) -> str:
    """Let the names that people use stand for a model that was published before; `talking` loads it if need be."""
    if tag not in ollama.models(there):
        return take_in(there, profile, model, tag, talking())
    _name(there, profile, model, tag)
    return f"in {version(there)} too"


def create(there: ollama.Ollama, profile: Profile, model: Published, name: str) -> None:
    gguf = profile.root / model.gguf
    if model.go_template is None and not there.renders_jinja:
        raise OllamaRefused(
            f"{version(there)} cannot render this model's chat template.", "Update Ollama to 0.30 or newer."
        )
    if there.here and (folder := ollama.disk()):
        check_room(folder, gguf.stat().st_size * (2 if there.renders_jinja else 1))
    files = {gguf.name: ollama.push_file(there, gguf)}
    _make(there, name, profile, model, model.system_messages[PLAIN], files=files)


def _make(there: ollama.Ollama, name: str, profile: Profile, model: Published, system: str, **source: object) -> None:
    parameters = ollama.parameters(model.turn_end, context_of(profile, model))
    ollama.create(there, name, system=system, template=model.go_template, parameters=parameters, **source)


def _check_rendering(there: ollama.Ollama, tag: str, loaded: Model, system: str) -> None:
    """Compare what Ollama makes of the talks with what llama.cpp does. Raises RunFailed if they differ."""
    if not there.shows_renderings:
        return
    here = by_llama_cpp(loaded, system)
    parted = differences(here, by_server(lambda talk: ollama.rendered(there, tag, talk), loaded, tuple(here)))
    if parted:
        raise RunFailed(
            f"{version(there)} would serve the model otherwise than it was trained; {len(parted)} of {len(here)} "
            f"talks differ. {parted[0]}",
            "It is not published. `idiolect chat --run LABEL` talks with it; OLLAMA_GO_TEMPLATE must not be set.",
        )


def _name(there: ollama.Ollama, profile: Profile, model: Published, tag: str) -> None:
    """Let the plain name stand for a model, and one a mode for the same files under that mode's system message."""
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


def own_name(profile: Profile, model: Published, others: Sequence[Published | None]) -> str:
    """Return a model's name in Ollama: its date, with the time where another run of that day has the date."""
    taken = {other.ollama for other in others if other and other.label != model.label}
    by_date = ollama.model_name(profile.person, model.label[:10])
    return by_date if by_date not in taken else ollama.model_name(profile.person, model.label)


def version(there: ollama.Ollama) -> str:
    return f"Ollama {'.'.join(map(str, there.version))}"
