"""A base model's chat template, normalised: what a server asks with, and what a reply is in it.

The law: what is trained on is `ask(what was said before) + reply + end of turn`, whatever the template would make of
the finished conversation; a server asks with the first of these, and the model must then produce the other two.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec

from idiolect.curation import Message
from idiolect.dataset.family_schema import schema_template
from idiolect.dataset.normalised_template import THOUGHTS, normalise
from idiolect.dataset.rendering import Rendered, render
from idiolect.errors import BaseModelFault
from idiolect.unicode_text import composed

#: Texts that llama.cpp takes for control tokens wherever a vocabulary has them as one (its llama-vocab.cpp, the names
#: of ends of text, of turns and of fill-in-the-middle), whatever the tokenizer itself says of them.
_CONTROL_ANYWHERE = (
    "</s>",
    "<EOT>",
    "_<EOT>",
    "[EOT]",
    "[EOS]",
    "<end_of_turn>",
    "<turn|>",
    "<|tool_response>",
    "<end_of_utterance>",
    "<eos>",
    "<fim-prefix>",
    "<fim-suffix>",
    "<fim-middle>",
    "<fim_prefix>",
    "<fim_suffix>",
    "<fim_middle>",
    "<fim-pad>",
    "<fim_pad>",
    "<PRE>",
    "<SUF>",
    "<MID>",
    "<PAD>",
)
#: So often are tokens within tokens taken out; who nests them deeper loses the signs that they are made of.
_NESTED = 8
_SIGNS = re.compile(r"[<>|｜\[\]]")
_LIKE_CONTROL = re.compile(r"<[|｜][^<>|｜]{1,40}[|｜]>")

#: Marks in a template that it may cut a text at.
_MARKUP = re.compile(r"</?[\w|:]+>|\[/?[A-Z_]+\]|<\|[^|<>]+\|>|<\|?\w+\|?>")


@dataclass(frozen=True)
class ChatTemplate:
    """A normalised template, the special tokens that it may name, and the texts that are control tokens of its model.

    `lead` is white space that the model begins a reply with, `close` all from its end to the end of the turn.
    """

    source: str
    names: dict[str, str]
    control_tokens: tuple[str, ...]
    typed: bool = False
    lead: str = ""
    close: str = ""

    def ask(self, conversations: Sequence[Sequence[Message]]) -> list[Rendered]:
        """Return what a server asks with after what was said so far, or why the template refuses it."""
        return self._rendered([(messages, True) for messages in conversations])

    def finished(self, conversations: Sequence[Sequence[Message]]) -> list[Rendered]:
        """Return conversations as the template writes them when nobody is asked; nothing is trained on these."""
        return self._rendered([(messages, False) for messages in conversations])

    def _rendered(self, prompts: Sequence[tuple[Sequence[Message], bool]]) -> list[Rendered]:
        return render(self.source, self.names, prompts, typed=self.typed)

    def prompt(self, messages: Sequence[Message]) -> str:
        """Return what a server asks with. Raises BaseModelFault where the template refuses."""
        (shown,) = self.ask([messages])
        if shown.fault:
            raise BaseModelFault(
                f"The base model's chat template refuses a conversation: {shown.fault}",
                "Use an instruct model whose template takes system, user and assistant messages.",
            )
        return shown.text

    def answered(self, prompt: str, reply: str) -> tuple[str, tuple[int, int]]:
        """Return the text of a prompt with its reply, and the [start, end) of what the model must produce of it."""
        text = prompt + self.lead + reply + self.close
        return text, (len(prompt), len(text))

    def plain(self, text: str) -> str:
        """Return what somebody said, composed (NFC) and without control tokens.

        A control token in it would be one token for llama.cpp, and end a turn. It is taken out until there is none:
        what is left around one may be another.
        """
        text = composed(text.encode("utf-8", "ignore").decode("utf-8"))  # half of a surrogate pair is no character
        for _ in range(_NESTED):
            before = text
            # Composed anew each time: what is left around a token may be a letter and its mark.
            text = composed(self._control_token.sub("", text)) if self._control_token else text
            if text == before:
                return text.strip()
        return _SIGNS.sub("", text).strip()

    def may_change(self, reply: str) -> bool:
        """Say whether a reply has a mark in it that this template knows, and might cut it at."""
        return any(mark in reply for mark in self._marks)

    @property
    def turn_end(self) -> str:
        """The control token that ends a reply, the last where there are several."""
        tokens = self._control_token.findall(self.close) if self._control_token else []
        return tokens[-1] if tokens else self.close.strip()

    @cached_property
    def _control_token(self) -> re.Pattern[str] | None:
        longest_first = sorted(filter(None, self.control_tokens), key=len, reverse=True)
        return re.compile("|".join(map(re.escape, longest_first))) if longest_first else None

    @cached_property
    def _marks(self) -> frozenset[str]:
        thoughts = {mark for pair in THOUGHTS.items() for mark in pair}
        return frozenset(thoughts | set(_MARKUP.findall(self.source)))


def load_chat_template(folder: Path, schemas: Path | None = None, model: str = "") -> ChatTemplate:
    """Read and normalise the template of a Transformers folder; without one, make it from a file in `schemas`.

    Raises BaseModelFault where there is none, or one that cannot be asked as it was trained.
    """
    try:
        settings: dict[str, Any] = msgspec.json.decode((folder / "tokenizer_config.json").read_bytes())
        tokenizer: dict[str, Any] = msgspec.json.decode((folder / "tokenizer.json").read_bytes())
        source = _source(folder, settings) or schema_template(schemas, model)
        names, control, begin = _names(settings), _control_tokens(tokenizer), _begin(tokenizer)
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise BaseModelFault(
            f"{folder}: the tokenizer's chat template cannot be read ({error!r}).",
            "Use an instruct model in Transformers form, with tokenizer.json and a chat template.",
        ) from error
    try:
        return chat_template(source, names | ({"bos_token": begin} if begin else {}), control, begin)
    except BaseModelFault as fault:
        raise BaseModelFault(f"{folder}: {fault.problem}", fault.remedy) from fault


def chat_template(source: str, names: dict[str, str], control_tokens: tuple[str, ...], begin: str = "") -> ChatTemplate:
    """Normalise a template; `begin` is what the tokenizer puts before any text.

    Raises BaseModelFault for one that cannot be asked as it was trained.
    """
    made = normalise(source, names, control_tokens, begin)
    return ChatTemplate(made.source, names, control_tokens, made.typed, made.lead, made.close)


def _source(folder: Path, settings: dict[str, Any]) -> str | None:
    """Find the template: a file of its own since Transformers 4.52, a string or list of named ones before."""
    file = folder / "chat_template.jinja"
    if file.exists():
        return file.read_text(encoding="utf-8")
    stated = settings.get("chat_template")
    if isinstance(stated, list):
        return str({t["name"]: t["template"] for t in stated}["default"])
    return stated if isinstance(stated, str) else None


def _names(settings: dict[str, Any]) -> dict[str, str]:
    named = {key: value for key, value in settings.items() if key.endswith("_token") and value}
    return {
        key: value["content"] if isinstance(value, dict) else str(value)
        for key, value in named.items()
        if isinstance(value, (dict, str))
    }


def _control_tokens(tokenizer: dict[str, Any]) -> tuple[str, ...]:
    """Return the tokenizer's special tokens, and those of its vocabulary that llama.cpp takes for such."""
    special = [str(token["content"]) for token in tokenizer["added_tokens"] if token["special"]]
    vocabulary = tokenizer.get("model", {}).get("vocab", {})
    words = vocabulary if isinstance(vocabulary, dict) else {piece for piece, _ in vocabulary}
    added = {str(token["content"]) for token in tokenizer["added_tokens"]}
    found = {word for word in _CONTROL_ANYWHERE if word in words or word in added}
    found |= {word for word in (*words, *added) if word[:1] == "<" and _LIKE_CONTROL.fullmatch(word)}
    return (*special, *sorted(found - set(special)))


def _begin(tokenizer: dict[str, Any]) -> str:
    """Return the token that a tokenizer.json puts before any text, by its post-processor's template, if it does."""
    processor = tokenizer.get("post_processor") or {}
    for step in processor.get("processors", [processor]):
        first = (step.get("single") or [{}])[0]
        if "SpecialToken" in first:
            return str(first["SpecialToken"]["id"])
    return ""
