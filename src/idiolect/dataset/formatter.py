"""Samples → formatted samples: the mode reaches the model as its system message."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from idiolect.config import MODES, CurationRules, Mode, Options
from idiolect.curation import Message, Sample, Source


class FormattedSample(msgspec.Struct, frozen=True, kw_only=True):
    """One record of formatted_samples.json: the messages that the chat template gets."""

    id: str
    mode: Mode
    messages: tuple[Message, ...]
    source: Source


def system_messages(name: str, options: Options, rules: CurationRules) -> dict[Mode, str]:
    """Return the system message of each mode; the same ones are used when the model is talked to."""
    texts = {mode: options.system_prompt or rules.system_messages.get(mode, "") for mode in MODES}
    return {mode: text.replace("{name}", name) for mode, text in texts.items()}


#: MetaHuman OS' marks of a mode within the text: before what is said to the person, and before what they say.
INLINE_TAGS: Mapping[Mode, tuple[str, str]] = {
    "dual": ("<thought>", "<world>"),
    "emulation": ("<user>", "<assistant>"),
    "agent": ("<instruction>", "<action>"),
}


def format_samples(
    samples: Sequence[Sample], systems: Mapping[Mode, str], mode_as: str = "system_message"
) -> list[FormattedSample]:
    """Put each sample's system message before it (an empty one is left out), or its mode's tags into it."""
    return [
        FormattedSample(
            id=s.id,
            mode=s.mode,
            messages=_tagged(s) if mode_as == "inline_tags" else (*_system(systems[s.mode]), *s.messages),
            source=s.source,
        )
        for s in samples
    ]


def _tagged(sample: Sample) -> tuple[Message, ...]:
    said, answered = INLINE_TAGS[sample.mode]
    return tuple(
        Message(m.role, f"{answered if m.role == 'assistant' else said}: {m.content}") for m in sample.messages
    )


def _system(text: str) -> tuple[Message, ...]:
    return (Message("system", text),) if text else ()
