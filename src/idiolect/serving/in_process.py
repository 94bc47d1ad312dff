"""Talking with a GGUF in this process, through llama.cpp (xllamacpp)."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from idiolect.curation import Message
from idiolect.errors import DataFault, MissingPart


@dataclass(frozen=True)
class Sampling:
    """How the next token is drawn. The penalty keeps small models from repeating themselves."""

    temperature: float = 0.7
    top_p: float = 0.9
    repeat_penalty: float = 1.1
    max_tokens: int = 256
    seed: int = 0


@dataclass(frozen=True)
class Reply:
    """What the model said, and why it stopped: `stop` of itself, `length` because it had to."""

    text: str
    finish_reason: str
    tokens: int


def load(gguf: Path, context: int = 2048) -> Any:
    """Load a model file. Raises DataFault for one that llama.cpp refuses, MissingPart without xllamacpp."""
    try:
        import xllamacpp
    except ModuleNotFoundError as error:
        raise MissingPart(
            "Talking to a model file needs xllamacpp.", "Install it: pip install 'idiolect[chat]'"
        ) from error
    wanted = xllamacpp.CommonParams()
    wanted.model.path = str(gguf)
    wanted.n_ctx = context
    wanted.n_parallel = 1
    wanted.cpuparams.n_threads = os.cpu_count() or 1
    wanted.verbosity = 0
    try:
        return xllamacpp.Server(wanted)
    except RuntimeError as error:
        raise DataFault(f"{gguf} cannot be loaded: {error}", "Make it again from its run.") from error


def reply(
    model: Any,
    messages: Sequence[Message],
    sampling: Sampling | None = None,
    on_text: Callable[[str], None] = lambda _: None,
) -> Reply:
    """Let a loaded model answer; `on_text` gets each piece as it comes."""
    how = sampling or Sampling()
    pieces: list[str] = []
    ended: dict[str, Any] = {}

    def heard(chunk: dict[str, Any]) -> bool:
        for choice in chunk.get("choices", ()):
            if piece := choice["delta"].get("content"):
                pieces.append(piece)
                on_text(piece)
            if choice.get("finish_reason"):
                ended["reason"] = choice["finish_reason"]
        ended["tokens"] = chunk.get("timings", {}).get("predicted_n", ended.get("tokens", 0))
        return False

    model.handle_chat_completions(
        {
            "messages": [{"role": m.role, "content": m.content} for m in messages],
            "stream": True,
            "temperature": how.temperature,
            "top_p": how.top_p,
            "repeat_penalty": how.repeat_penalty,
            "max_tokens": how.max_tokens,
            "seed": how.seed,
        },
        heard,
    )
    return Reply("".join(pieces).strip(), ended.get("reason", "error"), ended.get("tokens", 0))
