"""A model takes the place of the one that people talk to, and only if it loads, talks, and sees what training saw.

    load, talk ─► Ollama: a name to try ─► render, talk ─► the names people use ─► registry.json

Whatever happens on the way, the names people use stand for the old model or for the new one. Ollama is a guest: if it
is away or fails, the model is published without it, and that is said.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import msgspec

from idiolect.errors import BaseModelFault, DataFault, RunFailed, UserFault
from idiolect.home import Home, Profile
from idiolect.serving import Model, Sampling, load, reply
from idiolect.workflow.archive.registry import (
    Published,
    candidate,
    read_registry,
    rolled_back,
    with_published,
    write_registry,
)
from idiolect.workflow.archive.runs import find_run, known
from idiolect.workflow.models import in_ollama
from idiolect.workflow.models.parity import check_parity
from idiolect.workflow.planning.plan import target
from idiolect.workflow.records.audit import audit
from idiolect.workflow.records.lock import only_publication


def publish(profile: Profile, model: Published, loaded: Model) -> str:
    """Publish a model that talks; returns a line that says where it is. Raises RunFailed for one that may not be."""
    with only_publication(profile, model.label):
        read_registry(profile)  # a damaged one is said before anything is done
        standing = in_ollama.standing_there(lambda there: in_ollama.take_in(there, profile, model, loaded))
        published = msgspec.structs.replace(model, ollama=standing.tag)
        write_registry(profile, standing.noted(with_published(read_registry(profile), published)))
    audit(profile, "adapter_activated", {"run": model.label, "ollama": published.ollama})
    return f"published; {standing.said}"


def promote(home: Home, person: str, label: str) -> str:
    """Publish the model of a run, an older one or one that failed after it was made."""
    found, profile = find_run(home, label, person), home.profile(person)
    summary, loaded = found.summary, talking(found.run.gguf)
    try:
        check_parity(target(home, profile, summary.base_model), loaded, found.run)
        compared = ""
    except BaseModelFault as error:
        compared = f"; not compared with training, for its base model is gone: {error.problem}"
    model = candidate(profile, found.run, summary.system_messages, summary.turn_end, summary.go_template)
    model = msgspec.structs.replace(model, context=summary.holds)
    return publish(profile, model, loaded) + compared


def rollback(home: Home, person: str) -> str:
    """Bring back the model that was published before; again: the one before that, and at last the newest.

    Raises UserFault where there is none whose file is left.
    """
    profile = known(home, person)
    with only_publication(profile, "rollback"):
        registry = read_registry(profile)
        left = [p for p in registry.before if (profile.root / p.gguf).exists()]
        if not left:
            raise UserFault(
                f"There is no model of {person} to go back to: none was published before, or its file is gone.",
                f"See what there is: idiolect runs --username {person}",
            )
        model = left[0]
        standing = in_ollama.standing_there(
            lambda there: in_ollama.bring_back(there, profile, model, lambda: talking(profile.root / model.gguf))
        )
        restored = msgspec.structs.replace(model, since=datetime.now(UTC), ollama=standing.tag or model.ollama)
        write_registry(profile, standing.noted(rolled_back(read_registry(profile), restored)))
    audit(profile, "adapter_activated", {"run": model.label, "ollama": restored.ollama, "rollback": True})
    return f"{model.label} is back; {standing.said}"


def talks(gguf: Path) -> bool:
    """Return whether there is a model file that loads and says something."""
    try:
        return gguf.exists() and bool(talking(gguf))
    except RunFailed:
        return False


def talking(gguf: Path) -> Model:
    """Return a model that was loaded and has said something. Raises RunFailed for one that does neither."""
    try:
        model = load(gguf)
    except DataFault as error:
        raise RunFailed(error.problem, error.remedy) from error
    answer = reply(model, in_ollama.HELLO, Sampling(max_tokens=8))
    if answer.tokens == 0 or answer.finish_reason == "error":
        raise RunFailed(f"{gguf} loads, but says nothing.", "Look at its run; it is not published.")
    return model
