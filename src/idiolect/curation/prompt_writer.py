"""Questions that nobody asked, written by a model instead of chosen from our own.

The model stands behind an OpenAI-compatible address that the person named in curation.json (Ollama, llama.cpp, or a
service that they trust); it is shown the memory that it is to ask about.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Sequence
from http.client import HTTPException
from typing import Any

import msgspec

from idiolect.config import PromptWriter
from idiolect.curation.sample import Message, Sample
from idiolect.errors import MachineFault
from idiolect.files import decode_json

_QUESTION = (
    "Write the one short question to which the following text is a natural answer. "
    "Write nothing but the question.\n\n{text}"
)
_TIMEOUT_SECONDS = 120.0
_MOST_BYTES = 1 << 20
_LONGEST = 200


def write_prompts(samples: Sequence[Sample], writer: PromptWriter) -> list[Sample]:
    """Replace the first question of each sample that has an invented one. Raises MachineFault if nobody answers."""
    return [_asked(s, writer) if s.source.prompt_from == "invented" else s for s in samples]


def _asked(sample: Sample, writer: PromptWriter) -> Sample:
    question = _completion(writer, _QUESTION.format(text=sample.messages[1].content)).strip().strip('"')
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
    answered: list[bytes | Exception] = []
    # The time of a socket is for each read of it; who sends a byte now and then would never end.
    asking = threading.Thread(target=_ask, args=(request, answered), daemon=True)
    asking.start()
    asking.join(_TIMEOUT_SECONDS)
    try:
        match answered:
            case [bytes(answer)]:
                return str(decode_json(answer, dict)["choices"][0]["message"]["content"])
            case [Exception() as error]:
                raise error
        raise TimeoutError(f"no whole answer in {_TIMEOUT_SECONDS:g} seconds")
    except (OSError, ValueError, LookupError, TypeError, HTTPException) as error:
        raise MachineFault(
            f"The model that is to write questions does not answer at {writer.url}: {error}",
            "Start it, or take prompt_writer out of curation.json.",
        ) from error


def _ask(request: Any, answered: list[bytes | Exception]) -> None:
    import urllib.request

    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS) as answer:  # noqa: S310 - as above
            answered.append(answer.read(_MOST_BYTES))
    except (OSError, ValueError, HTTPException) as error:
        answered.append(error)
