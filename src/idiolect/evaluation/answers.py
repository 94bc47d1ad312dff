"""Held-out prompts of the person, answered by models, and by the person themselves."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from idiolect.config import Mode
from idiolect.curation import Message
from idiolect.dataset import INLINE_TAGS, ChatTemplate, FormattedSample, TrainingText, open_tokenizer
from idiolect.serving import Model, Sampling, reply
from idiolect.unbroken import LONGEST, longest_run

ANSWER_TOKENS = 64

_WORDS = range(8, 80)
_TAG = re.compile(rf"^(?:{'|'.join(re.escape(answered) for _, answered in INLINE_TAGS.values())}): ?")
#: A longer talk would not fit a small model's context, and costs more than its answer tells.
_CHARACTERS = 4000


class Answers(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One held-out prompt, what the person really said, and what each model says."""

    id: str
    mode: Mode
    prompt: str
    real: str
    base: str
    new: str
    previous: str | None = None


def held_out_talks(
    samples: Sequence[FormattedSample], lines: Sequence[TrainingText], count: int
) -> list[FormattedSample]:
    """Return `count` held-out samples, those first whose prompt somebody really asked, neither short nor long."""
    aside = {line.sample for line in lines if line.split == "held_out"}
    fitting = [s for s in samples if s.id in aside and sum(len(m.content) for m in asked(s)) <= _CHARACTERS]
    ordered = sorted(
        fitting,
        key=lambda s: (
            s.source.prompt_from != "memory",
            len(really_said(s).split()) not in _WORDS,
        ),
    )
    return ordered[:count]


def that_fit(
    talks: Sequence[FormattedSample], template: ChatTemplate, tokenizer_json: Path, context: int
) -> list[FormattedSample]:
    """Return the talks whose first prompt is shorter than `context` tokens, and can be cut: others cannot be asked.

    Of a talk that is longer only what came later may be trained on.
    """
    tokenizer = open_tokenizer(tokenizer_json)
    prompts = template.ask([[Message(m.role, template.plain(m.content)) for m in asked(talk)] for talk in talks])
    lengths = [len(tokenizer.encode(prompt.text, add_special_tokens=False).ids) for prompt in prompts]
    both = zip(talks, prompts, lengths, strict=True)
    return [
        talk
        for talk, prompt, length in both
        if not prompt.fault and length < context and longest_run(prompt.text) <= LONGEST
    ]


def learned_talks(samples: Sequence[FormattedSample], lines: Sequence[TrainingText]) -> list[FormattedSample]:
    """Return the samples that were trained on."""
    learned = {line.sample for line in lines if line.split == "train"}
    return [s for s in samples if s.id in learned]


def answers(model: Model, talks: Iterable[FormattedSample]) -> list[str]:
    """Let a loaded model answer the first prompt of each talk, under the system message that it has there.

    The same prompt may be asked twice, since many are invented, and is then answered otherwise. Raises UserFault and
    RunFailed for an answer that ends in an error: nothing may be taken for what a model says that it did not say.
    """
    return [_untagged(reply(model, asked(talk), sampling(talk)).said) for talk in talks]


def sampling(talk: FormattedSample) -> Sampling:
    """Return how a talk is answered: as in `idiolect chat`, shorter, and each time the same."""
    return Sampling(max_tokens=ANSWER_TOKENS, seed=seed(talk))


def seed(talk: FormattedSample) -> int:
    """Return a talk's own seed: it is answered the same whichever others are asked beside it."""
    return zlib.crc32(talk.id.encode())


def asked(sample: FormattedSample) -> Sequence[Message]:
    """Return a talk up to the person's first reply."""
    return sample.messages[: next(i for i, m in enumerate(sample.messages) if m.role == "assistant")]


def really_said(sample: FormattedSample) -> str:
    """Return the person's first reply in a talk."""
    return _untagged(next(m.content for m in sample.messages if m.role == "assistant"))


def _untagged(text: str) -> str:
    """Return an answer without the tag of its mode, where the data set has such: it is not the person's."""
    return _TAG.sub("", text)
