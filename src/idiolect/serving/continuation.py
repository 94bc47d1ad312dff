"""Letting a GGUF go on with a text that is already begun."""

from __future__ import annotations

from collections.abc import Sequence

from idiolect.errors import RunFailed
from idiolect.serving.in_process import Model


def continuation(model: Model, tokens: Sequence[int], max_tokens: int) -> str:
    """Let a loaded model go on with a text, given as its tokens; it takes the likeliest token each time.

    Raises RunFailed where it cannot, as with a text longer than the model holds.
    """
    asked = {"prompt": list(tokens), "n_predict": max_tokens, "temperature": 0.0}
    answer = model.server.handle_completions(asked)
    if "error" in answer:
        raise RunFailed(
            f"{model.gguf.name} cannot go on with {len(tokens):,} tokens: {answer['error']['message']}",
            "Lower max_seq_length to what the base model has room for.",
        )
    return str(answer["choices"][0]["text"])
