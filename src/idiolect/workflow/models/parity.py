"""Whether a run's model is served as it was trained: in every cycle before publishing, and by hand."""

from __future__ import annotations

from dataclasses import dataclass

from idiolect.errors import RunFailed
from idiolect.home import Home
from idiolect.serving import Model, by_llama_cpp, by_server, by_training, differences, load, ollama
from idiolect.workflow.archive.registry import PLAIN, candidate
from idiolect.workflow.archive.runs import find_run
from idiolect.workflow.models import in_ollama
from idiolect.workflow.planning.plan import Target, target


def check_parity(trained_on: Target, model: Model) -> str:
    """Compare what llama.cpp makes of a dozen talks with what training does. Raises RunFailed if they differ."""
    trained = by_training(trained_on.template, trained_on.tokenizer)
    parted = differences(trained, by_llama_cpp(model))
    if parted:
        raise RunFailed(
            f"{model.gguf} would be served otherwise than it was trained; {len(parted)} of {len(trained)} talks "
            f"differ. {parted[0]}",
            "It is not published. See them all: idiolect check-template --run LABEL",
        )
    return f"{len(trained)} talks, token for token as in training"


@dataclass(frozen=True)
class Parity:
    """A run's talks, and where those who serve it part from training; None where Ollama could not be asked."""

    talks: tuple[str, ...]
    llama_cpp: list[str]
    ollama: list[str] | None
    ollama_said: str


def compare(home: Home, label: str, person: str | None = None) -> Parity:
    """Render a run's talks by training, by llama.cpp, and by Ollama if it answers; it is given the file for that."""
    found = find_run(home, label, person)
    profile = home.profile(found.summary.person)
    summary, trained_on = found.summary, target(home, profile, found.summary.base_model)
    trained = by_training(trained_on.template, trained_on.tokenizer)
    model = load(found.run.gguf, warm_up=False)
    about = candidate(profile, found.run, summary.system_messages, summary.turn_end, summary.go_template)
    name = ollama.model_name(profile.person, f"check-{label}")
    parted: list[str] | None = None

    def ask(there: ollama.Ollama) -> str:
        nonlocal parted
        if not there.shows_renderings:
            return f"{in_ollama.version(there)} is too old to show what it renders"
        under = by_training(trained_on.template, trained_on.tokenizer, summary.system_messages[PLAIN])
        try:
            in_ollama.create(there, profile, about, name)
            parted = differences(under, by_server(lambda t: ollama.rendered(there, name, t), model, under))
        finally:
            ollama.delete(there, name)
        return in_ollama.version(there)

    _, said = in_ollama.if_there(ask)
    return Parity(tuple(trained), differences(trained, by_llama_cpp(model)), parted, said)
