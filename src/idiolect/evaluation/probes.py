"""What the training process measures beside the held-out replies: general knowledge, what it has seen, canaries."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files

import msgspec

from idiolect.curation import Message
from idiolect.dataset import ChatTemplate, TrainingText
from idiolect.evaluation import canaries

GENERAL, SEEN = "general/", "seen/"
#: So many training texts, spread over all, are measured as the held-out ones are.
_SEEN_COUNT = 12


class GeneralQuestion(msgspec.Struct, frozen=True):
    """A question whose answer is the same whoever speaks; ours, written for this."""

    question: str
    answer: str


def probes(texts: Sequence[TrainingText], template: ChatTemplate, seed: int, *, audit: bool) -> list[TrainingText]:
    """Return the texts whose loss is measured before and after training."""
    found = [*_general(template), *_seen(texts)]
    return [*found, *canaries.questions(seed, template)] if audit else found


def planted(template: ChatTemplate, seed: int) -> list[TrainingText]:
    """Return the canaries that an audited run is trained on, beside what the person said."""
    return canaries.planted(seed, template)


def _general(template: ChatTemplate) -> list[TrainingText]:
    asked = msgspec.json.decode(
        files("idiolect.evaluation").joinpath("general.json").read_bytes(), type=list[GeneralQuestion]
    )
    found = []
    for number, one in enumerate(asked):
        text, span = template.answered(template.prompt([Message("user", one.question)]), one.answer)
        found.append(
            TrainingText(id=f"{GENERAL}{number}", split="held_out", mode="emulation", text=text, learned=(span,))
        )
    return found


def _seen(texts: Sequence[TrainingText]) -> list[TrainingText]:
    trained = [t for t in texts if t.split == "train"]
    step = max(len(trained) // _SEEN_COUNT, 1)
    return [msgspec.structs.replace(t, id=f"{SEEN}{t.id}") for t in trained[::step][:_SEEN_COUNT]]
