"""Held-out prompts of the person, answered by the base model, by the trained one, and by the person themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from idiolect.curation import Message
from idiolect.dataset import FormattedSample, TrainingText
from idiolect.serving import Sampling, load, reply

_WORDS = range(8, 80)


@dataclass(frozen=True)
class Comparison:
    """One prompt and three answers."""

    prompt: str
    base: str
    trained: str
    real: str


def side_by_side(
    samples: Sequence[FormattedSample],
    lines: Sequence[TrainingText],
    base: Path,
    trained: Path,
    count: int,
) -> list[Comparison]:
    """Let two model files answer the first prompts of `count` held-out talks, under the same system message."""
    chosen = _held_out(samples, lines)[:count]
    talks = [_up_to_first_reply(s.messages) for s in chosen]
    answers = {gguf: _answers(gguf, talks) for gguf in (base, trained)}
    return [
        Comparison(talk[-1].content, answers[base][i], answers[trained][i], _first_reply(chosen[i].messages))
        for i, talk in enumerate(talks)
    ]


def _held_out(samples: Sequence[FormattedSample], lines: Sequence[TrainingText]) -> list[FormattedSample]:
    """Return held-out samples, those first whose prompt somebody really asked and that are neither short nor long."""
    aside = {line.id for line in lines if line.split == "held_out"}
    return sorted(
        (s for s in samples if s.id in aside),
        key=lambda s: (
            s.source.prompt_from != "memory",
            len(_first_reply(s.messages).split()) not in _WORDS,
        ),
    )


def _answers(gguf: Path, talks: Sequence[Sequence[Message]]) -> list[str]:
    model = load(gguf)
    return [reply(model, talk, Sampling(max_tokens=80)).text for talk in talks]


def _up_to_first_reply(messages: Sequence[Message]) -> Sequence[Message]:
    return messages[: next(i for i, m in enumerate(messages) if m.role == "assistant")]


def _first_reply(messages: Sequence[Message]) -> str:
    return next(m.content for m in messages if m.role == "assistant")
