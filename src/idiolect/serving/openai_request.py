"""A request for a chat completion as OpenAI's API has it: what is taken from it, within which bounds.

Format: platform.openai.com/docs/api-reference/chat. What is not named here means nothing to a model that speaks as one
person, and is passed over; what would ask for another kind of answer is refused by its name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from idiolect.curation import Message
from idiolect.errors import UserFault
from idiolect.serving.sampling import Sampling

#: A message takes four tokens and more, and its template some microseconds of each before it.
MESSAGES = 2_000
#: Characters of a text that might fit, for each token that a model holds; ordinary text has three or four.
_CHARACTERS_A_TOKEN = 40
#: What asks for another kind of answer, and the values with which it does not.
_OTHERWISE: Mapping[str, Sequence[Any]] = {
    "n": (1,),
    "tools": ([],),
    "functions": ([],),
    "logprobs": (False,),
    "logit_bias": ({},),
    "modalities": (["text"],),
    "audio": (),
    "response_format": ({"type": "text"},),
    "grammar": ("",),
    "json_schema": ({},),
}


class Part(msgspec.Struct, tag_field="type", tag="text"):
    """A part of a message that is text."""

    text: str


class Said(msgspec.Struct):
    """A message."""

    role: Literal["system", "developer", "user", "assistant"]
    content: str | Annotated[list[Part], Meta(min_length=1, max_length=100)]


class StreamOptions(msgspec.Struct):
    """How an answer is streamed."""

    include_usage: bool | None = None


class Completion(msgspec.Struct):
    """A request. What is None was not said, or said to be null."""

    model: Annotated[str, Meta(max_length=300)]
    messages: Annotated[list[Said], Meta(min_length=1, max_length=MESSAGES)]
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    max_tokens: Annotated[int, Meta(ge=1, le=1_000_000)] | None = None
    max_completion_tokens: Annotated[int, Meta(ge=1, le=1_000_000)] | None = None
    stop: Annotated[str, Meta(max_length=200)] | Annotated[list[str], Meta(max_length=16)] | None = None
    seed: Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)] | None = None
    temperature: Annotated[float, Meta(ge=0, le=5)] | None = None
    top_p: Annotated[float, Meta(ge=0, le=1)] | None = None
    top_k: Annotated[int, Meta(ge=0, le=1_000)] | None = None
    min_p: Annotated[float, Meta(ge=0, le=1)] | None = None
    repeat_penalty: Annotated[float, Meta(ge=0.1, le=10)] | None = None
    repeat_last_n: Annotated[int, Meta(ge=0, le=4_096)] | None = None
    presence_penalty: Annotated[float, Meta(ge=-2, le=2)] | None = None
    frequency_penalty: Annotated[float, Meta(ge=-2, le=2)] | None = None
    ignore_eos: bool | None = None

    def said(self, system: str) -> list[Message]:
        """Return the conversation, under `system` where it brings no system message of its own."""
        messages = [Message("system" if s.role == "developer" else s.role, _text(s.content)) for s in self.messages]
        if system and messages[0].role != "system":
            messages = [Message("system", system), *messages]
        return messages

    def sampling(self, context: int) -> dict[str, Any]:
        """Return how the answer is drawn: as this model is always asked, unless the request says otherwise."""
        ours = Sampling().request()
        del ours["seed"]  # the same question is answered otherwise each time, unless a seed is asked for
        theirs = {name: getattr(self, name) for name in (*ours, "stop", "presence_penalty", "frequency_penalty")}
        theirs["ignore_eos"] = self.ignore_eos
        theirs["max_tokens"] = min(self.max_completion_tokens or self.max_tokens or Sampling.max_tokens, context)
        if self.seed is not None:
            theirs["seed"] = self.seed % 2**32
        return ours | {name: value for name, value in theirs.items() if value is not None}


def read_completion(body: bytes) -> Completion:
    """Read a request. Raises UserFault for one that is not JSON, asks for what is not here, or is out of bounds."""
    try:
        asked = msgspec.json.decode(body)
        found = msgspec.convert(asked, Completion)
    except RecursionError as error:
        raise UserFault("This JSON is nested too deep.", "Send a chat completion's request.") from error
    except (msgspec.MsgspecError, UnicodeError) as error:
        raise UserFault(f"This is no request for a chat completion: {error}", "Mend it.") from error
    for name, harmless in _OTHERWISE.items():
        if asked.get(name) not in (None, *harmless):
            raise UserFault(f"`{name}` is not offered here: these models answer in text, once.", "Leave it out.")
    if found.messages[-1].role != "user":
        raise UserFault("The last message must be the user's.", "Send what is to be answered last.")
    return found


def check_length(messages: Sequence[Message], context: int) -> None:
    """Raise UserFault for a conversation that cannot fit by far, which is not worth the time to count its tokens."""
    characters = sum(len(message.content) for message in messages)
    if characters > context * _CHARACTERS_A_TOKEN or len(messages) > context:
        raise UserFault(
            f"The request exceeds the available context size ({context:,} tokens): {len(messages):,} messages of "
            f"{characters:,} characters.",
            "Send less of the conversation.",
        )


def whole_answer(chunks: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the answer that llama.cpp's chunks come to, as OpenAI's API has it, or the error that is among them."""
    if error := next((dict(chunk) for chunk in chunks if "error" in chunk), None):
        return error
    choices = [choice for chunk in chunks for choice in chunk["choices"]]
    text = "".join(choice["delta"].get("content") or "" for choice in choices)
    ended = next((choice["finish_reason"] for choice in reversed(choices) if choice["finish_reason"]), None)
    message = {"role": "assistant", "content": text}
    return {
        **{name: value for name, value in chunks[-1].items() if name in ("id", "created", "usage", "timings")},
        "object": "chat.completion",
        "choices": [{"index": 0, "message": message, "finish_reason": ended, "logprobs": None}],
    }


def _text(content: str | Sequence[Part]) -> str:
    return content if isinstance(content, str) else "\n".join(part.text for part in content)
