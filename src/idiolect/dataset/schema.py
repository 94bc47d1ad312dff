"""Formatted samples → text under the base model's chat template, with the learned characters marked."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from idiolect.config import Mode
from idiolect.curation import Message, Source
from idiolect.dataset.chat_template import ChatTemplate
from idiolect.dataset.formatter import FormattedSample


class RenderedSample(msgspec.Struct, frozen=True, kw_only=True):
    """One record of schema_applied.json; `learned` has [start, end) character positions of `text`."""

    id: str
    mode: Mode
    text: str
    learned: tuple[tuple[int, int], ...]
    source: Source


def apply_schema(samples: Sequence[FormattedSample], template: ChatTemplate) -> list[RenderedSample]:
    """Render each sample. Raises BaseModelFault where the template cannot mark the replies."""
    rendered = []
    for sample in samples:
        text, learned = template.render_learned([Message(m.role, template.plain(m.content)) for m in sample.messages])
        rendered.append(
            RenderedSample(id=sample.id, mode=sample.mode, text=text, learned=learned, source=sample.source)
        )
    return rendered
