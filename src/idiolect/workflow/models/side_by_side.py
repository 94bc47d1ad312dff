"""Base, previous and new model, each asked the same: what a person compares before they publish one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from idiolect.config import Mode
from idiolect.curation import Message
from idiolect.errors import BaseModelFault
from idiolect.home import Home
from idiolect.machines import memory
from idiolect.serving import Model, Reply, Sampling, load, reply
from idiolect.workflow.archive.runs import find_run, known, newest
from idiolect.workflow.models.earlier import before
from idiolect.workflow.models.evaluating import base_gguf
from idiolect.workflow.planning.plan import target


@dataclass(frozen=True)
class Contestant:
    """A model that answers beside others; the base one is spoken to as the new one is."""

    name: str
    """base, previous or new."""
    label: str
    """The run's, or the base model's own name."""
    gguf: Path
    system_messages: Mapping[Mode, str]

    def heard(self, talk: Sequence[Message], mode: Mode) -> Sequence[Message]:
        """Return what the model is asked: a talk under the system message of a mode."""
        system = self.system_messages[mode]
        return [Message("system", system), *talk] if system else talk


@dataclass(frozen=True)
class Field:
    """Who is compared, and of who is not there, why."""

    there: Sequence[Contestant]
    absent: Mapping[str, str]


def contestants(home: Home, person: str, label: str | None = None) -> Field:
    """Return base, previous and new model of a person; new is that run, or the newest.

    The base model is made a model file of once, which can take minutes. Raises UserFault where no model is there.
    """
    profile = known(home, person)
    new = find_run(home, label, person) if label else newest(home, person)
    there = [Contestant("new", new.run.label, new.run.gguf, new.summary.system_messages)]
    absent = {}
    if earlier := before(profile, new.run.label):
        previous = Contestant("previous", earlier.run.label, earlier.run.gguf, earlier.summary.system_messages)
        there.insert(0, previous)
    else:
        absent["previous"] = "There is no model before it."
    try:
        aimed = target(home, profile, new.summary.base_model)
        gguf = base_gguf(home, aimed, new.run.quantization)
        there.insert(0, Contestant("base", aimed.base.name, gguf, new.summary.system_messages))
    except BaseModelFault as fault:
        absent["base"] = fault.problem
    return Field(there, absent)


@dataclass
class Bench:
    """Models that are loaded: all that were asked, or one alone if together they would fill half the memory."""

    memory: int = field(default_factory=memory)
    """Bytes that this computer has."""
    models: dict[Path, Model] = field(default_factory=dict)

    def model(self, gguf: Path) -> Model:
        """Return a model, loaded if it is not. Raises DataFault for a file that cannot be."""
        if gguf not in self.models:
            together = sum(path.stat().st_size for path in (*self.models, gguf) if path.exists())
            if together > self.memory // 2:
                self.models.clear()
            self.models[gguf] = load(gguf)
        return self.models[gguf]


def answers(
    bench: Bench,
    asked: Mapping[str, tuple[Path, Sequence[Message]]],
    on_text: Callable[[str, str], None],
    stopped: Callable[[], bool] = lambda: False,
    sampling: Sampling | None = None,
) -> dict[str, Reply]:
    """Let each model answer what it is asked, by name, one after the other, so that each has all processors.

    `on_text` gets who speaks and each piece as it comes; once `stopped` says so, nobody says more.
    """
    said: dict[str, Reply] = {}
    for name, (gguf, messages) in asked.items():
        if not stopped():
            said[name] = reply(bench.model(gguf), messages, sampling, partial(on_text, name), stopped)
    return said
