"""What a loaded model answers, and how its answer ended."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from idiolect.curation import Message
from idiolect.dataset import THOUGHTS
from idiolect.errors import RunFailed, UserFault
from idiolect.serving.conversation import askable
from idiolect.serving.in_process import Model, as_objects, prompt_text
from idiolect.serving.sampling import Sampling


@dataclass(frozen=True)
class Reply:
    """What the model said. Why it stopped: `stop` of itself, `length` because it had to, `stopped` as asked."""

    text: str
    finish_reason: str
    tokens: int
    thought: str = ""
    """What it thought first, where it does so although it is asked not to."""

    @property
    def said(self) -> str:
        """What the model said; where only a thought came, that, in words that say so. Nothing if it said nothing."""
        return self.text or (f"(a thought, and no answer: {self.thought})" if self.thought else "")


def reply(
    model: Model,
    messages: Sequence[Message],
    sampling: Sampling | None = None,
    on_text: Callable[[str], None] = lambda _: None,
    stopped: Callable[[], bool] = lambda: False,
) -> Reply:
    """Let a loaded model answer; `on_text` gets each piece as it comes, and `stopped` is asked whether to go on.

    Raises UserFault for what the model cannot be asked, as a conversation longer than it holds, and RunFailed for an
    answer that ends in an error.
    """
    asked = askable(model, messages)
    heard: list[dict[str, Any]] = []
    halted = False

    def hear(chunk: dict[str, Any]) -> bool:
        nonlocal halted
        heard.append(chunk)
        if piece := _piece(chunk):
            on_text(piece)
        halted = stopped()
        return halted

    request = {**(sampling or Sampling()).request(), "messages": as_objects(asked), "stream": True}
    try:
        model.server.handle_chat_completions(request, hear)
    except (RuntimeError, ValueError, TypeError) as error:  # how llama.cpp refuses what it is asked
        raise _refused(model, str(error)) from error
    if refusal := next((chunk["error"]["message"] for chunk in heard if "error" in chunk), None):
        raise _refused(model, refusal) if len(heard) == 1 else _broken_off(model, refusal)
    reasons = [choice["finish_reason"] for chunk in heard for choice in chunk.get("choices", ())]
    ended = next(filter(None, reversed(reasons)), "stopped" if halted else None)
    if ended is None:
        raise _broken_off(model, "it did not say why")
    thought, text = _parted("".join(map(_piece, heard)), prompt_text(model, asked))
    tokens = [chunk["timings"]["predicted_n"] for chunk in heard if "timings" in chunk]
    return Reply(text, ended, tokens[-1] if tokens else 0, thought)


def _piece(chunk: dict[str, Any]) -> str:
    return "".join(choice["delta"].get("content") or "" for choice in chunk.get("choices", ()))


def _parted(text: str, asked: str) -> tuple[str, str]:
    """Return the thought and the answer of what came after the text that asked; that may begin the thought."""
    said = text.strip()
    for begin, end in THOUGHTS.items():
        if said.startswith(begin) or asked.rstrip().endswith(begin):
            thought, _, answer = said.removeprefix(begin).partition(end)
            return thought.strip(), answer.strip()
    return "", said


def _refused(model: Model, why: str) -> UserFault:
    return UserFault(f"{model.gguf.name} cannot be asked this: {why}", "Say less, or in other words.")


def _broken_off(model: Model, why: str) -> RunFailed:
    return RunFailed(
        f"{model.gguf.name} broke off in its answer: {why}", "Ask again; make it anew if it happens again."
    )
