"""Questions that nobody asked, written by a model instead of chosen from our own.

The model stands behind an OpenAI-compatible address that the person named in curation.json (Ollama, llama.cpp, or a
service that they trust); it is shown the memory that it is to ask about.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from typing import Any

import msgspec

from idiolect.config import PromptWriter
from idiolect.curation.sample import Message, Sample
from idiolect.errors import MachineFault

_ASK = (
    "Write the one short question to which the following text is a natural answer. "
    "Write nothing but the question.\n\n{text}"
)
_TIMEOUT_SECONDS = 120
_LONGEST = 200


def write_prompts(samples: Sequence[Sample], writer: PromptWriter) -> list[Sample]:
    """Replace the first question of each sample that has an invented one. Raises MachineFault if nobody answers."""
    return [_asked(s, writer) if s.source.prompt_from == "invented" else s for s in samples]


def _asked(sample: Sample, writer: PromptWriter) -> Sample:
    question = _completion(writer, _ASK.format(text=sample.messages[1].content)).strip().strip('"')
    if not question or len(question) > _LONGEST or "\n" in question:
        return sample  # no question: ours is better
    return msgspec.structs.replace(sample, messages=(Message("user", question), *sample.messages[1:]))


def _completion(writer: PromptWriter, text: str) -> str:
    body = {"model": writer.model, "messages": [{"role": "user", "content": text}], "temperature": 0, "max_tokens": 60}
    headers = {"Content-Type": "application/json"}
    if key := os.environ.get("OPENAI_API_KEY"):
        headers["Authorization"] = f"Bearer {key}"
    import urllib.request

    request = urllib.request.Request(  # noqa: S310 - the person's own address
        f"{writer.url.rstrip('/')}/chat/completions", json.dumps(body).encode(), headers
    )
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS) as answer:  # noqa: S310
            reply: Any = json.load(answer)
        return str(reply["choices"][0]["message"]["content"])
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise MachineFault(
            f"The model that is to write questions does not answer at {writer.url}: {error}",
            "Start it, or take prompt_writer out of curation.json.",
        ) from error
