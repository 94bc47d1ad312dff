"""Base, previous and new model, each asked the same: what a person compares before they publish one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from idiolect.config import Mode
from idiolect.curation import Message
from idiolect.errors import BaseModelFault, IdiolectError
from idiolect.home import Home
from idiolect.machines import memory
from idiolect.serving import Reply, Sampling, Shelf, reply, within
from idiolect.workflow.archive.runs import Finished, find_run, known, newest
from idiolect.workflow.models.earlier import before
from idiolect.workflow.models.evaluating import base_gguf
from idiolect.workflow.planning.plan import target, with_weights


@dataclass(frozen=True)
class Contestant:
    """A model that answers beside others; the base one is spoken to as the new one is."""

    name: str
    """base, previous or new."""
    label: str
    """The run's, or the base model's own name."""
    gguf: Path
    system_messages: Mapping[Mode, str]
    context: int
    """Tokens of a conversation that it holds; the base one as many as the new one."""

    def heard(self, talk: Sequence[Message], mode: Mode) -> Sequence[Message]:
        """Return what the model is asked: a talk under the system message of a mode."""
        system = self.system_messages.get(mode, "")
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
    there = [_contestant("new", new)]
    absent = {}
    if earlier := before(profile, new.run.label):
        there.insert(0, _contestant("previous", earlier))
    else:
        absent["previous"] = "There is no model before it."
    try:
        aimed = with_weights(home, profile, target(home, profile, new.summary.base_model))
        gguf = base_gguf(home, aimed, new.run.quantization)
        holds = new.summary.holds
        there.insert(0, Contestant("base", aimed.base.name, gguf, new.summary.system_messages, holds))
    except BaseModelFault as fault:
        absent["base"] = fault.problem
    return Field(there, absent)


def _contestant(name: str, finished: Finished) -> Contestant:
    run, summary = finished.run, finished.summary
    return Contestant(name, run.label, run.gguf, summary.system_messages, summary.holds)


@dataclass(frozen=True)
class Question:
    """What one of them is asked: its model file, how many tokens that holds, and the conversation."""

    gguf: Path
    context: int
    messages: Sequence[Message]


@dataclass(frozen=True)
class Answer:
    """What one of them said to a conversation of which so many of the oldest turns did not fit."""

    reply: Reply
    dropped: int


def bench() -> Shelf:
    """Return a place for models that are loaded: all that are asked, or one if together they fill half the memory."""
    return Shelf(most=memory() // 2)


def answers(
    shelf: Shelf,
    asked: Mapping[str, Question],
    on_text: Callable[[str, str], None],
    stopped: Callable[[], bool] = lambda: False,
    sampling: Sampling | None = None,
) -> dict[str, Answer | IdiolectError]:
    """Let each model answer what it is asked, by name, one after the other, so that each has all processors.

    `on_text` gets who speaks and each piece as it comes; once `stopped` says so, nobody says more. What keeps one from
    answering stands in the place of its answer.
    """
    said: dict[str, Answer | IdiolectError] = {}
    for name, one in asked.items():
        if stopped():
            break
        try:
            model = shelf.get(one.gguf, one.context)
            fitted = within(model, one.messages)
            came = reply(model, fitted.messages, sampling, partial(on_text, name), stopped)
            said[name] = Answer(came, fitted.dropped)
        except IdiolectError as fault:
            said[name] = fault
    return said
