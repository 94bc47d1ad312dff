"""A conversation as a model can be asked it: spelled as in training, and no longer than the model holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from idiolect.curation import Message
from idiolect.errors import UserFault
from idiolect.serving.in_process import Model, pieces, prompt_text, prompt_tokens
from idiolect.serving.sampling import Sampling
from idiolect.unicode_text import composed


@dataclass(frozen=True)
class Fitted:
    """What a model is asked of a conversation, and how many of its oldest turns do not fit."""

    messages: tuple[Message, ...]
    dropped: int


def askable(model: Model, messages: Sequence[Message]) -> list[Message]:
    """Return messages as training has them: composed (NFC), without white space around or control tokens within.

    A quoted control token would end a turn. What is one llama.cpp itself decides, which takes some of other families
    for such as well. Raises UserFault for what cannot be cut into tokens.
    """
    said = [Message(m.role, composed(m.content).strip()) for m in messages]
    together = "\n".join(m.content for m in said)
    try:
        together.encode()
    except UnicodeEncodeError as error:
        raise UserFault(
            f"What is asked is no text: {error.reason}.", "Send it as UTF-8, without halves of characters."
        ) from error
    if _ids(model, together, control=True) == _ids(model, together, control=False):
        return said
    return [Message(m.role, without_control_tokens(model, m.content)) for m in said]


def without_control_tokens(model: Model, text: str) -> str:
    """Return a text without what the model's tokenizer would take for control tokens in it."""
    while found := _control_tokens(model, text):
        for token in found:
            text = text.replace(token, "")
    return text.strip()


def within(model: Model, messages: Sequence[Message], longest_answer: int = Sampling.max_tokens) -> Fitted:
    """Drop a conversation's oldest turns until it leaves room for an answer; system message and last turn stay.

    Room for the longest answer, but not for more than half of what the model holds. A turn is what one said and what
    was answered. Raises UserFault where what was said last does not fit alone.
    """
    asked = askable(model, messages)
    system = [m for m in asked if m.role == "system"]
    turns = _turns([m for m in asked if m.role != "system"])
    room = model.context - min(longest_answer, model.context // 2)
    dropped = 0
    while (taken := _count(model, kept := _flat(system, turns[dropped:]))) > room and dropped < len(turns) - 1:
        dropped += 1
    if taken >= model.context:
        raise UserFault(
            f"What is asked takes {taken:,} tokens, and the model holds {model.context:,}.",
            "Say it in fewer words. How many a model holds, max_seq_length decides when it is trained.",
        )
    return Fitted(kept, dropped)


def _turns(messages: Sequence[Message]) -> list[list[Message]]:
    turns: list[list[Message]] = []
    for message in messages:
        if message.role == "user" or not turns:
            turns.append([])
        turns[-1].append(message)
    return turns


def _flat(system: Sequence[Message], turns: Sequence[Sequence[Message]]) -> tuple[Message, ...]:
    return (*system, *(message for turn in turns for message in turn))


def _count(model: Model, messages: Sequence[Message]) -> int:
    return len(prompt_tokens(model, prompt_text(model, messages)))


def _control_tokens(model: Model, text: str) -> set[str]:
    """Return the control tokens that are spelled out in a text."""
    plain = set(_ids(model, text, control=False))
    others = {piece: token for token, piece in pieces(model, text, begin=False) if token not in plain and piece}
    return {
        piece
        for piece, token in others.items()
        if piece in text and _ids(model, piece, control=True) == [token] != _ids(model, piece, control=False)
    }


def _ids(model: Model, text: str, *, control: bool) -> list[int]:
    return [token for token, _ in pieces(model, text, control=control, begin=False)]
