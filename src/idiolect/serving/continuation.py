"""Letting a GGUF go on with a text that is already begun."""

from __future__ import annotations

from collections.abc import Sequence

from idiolect.serving.in_process import Model


def continuation(model: Model, tokens: Sequence[int], max_tokens: int) -> str:
    """Let a loaded model go on with a text, given as its tokens; it takes the likeliest token each time."""
    asked = {"prompt": list(tokens), "n_predict": max_tokens, "temperature": 0.0}
    return str(model.server.handle_completions(asked)["choices"][0]["text"])
