"""A base model's own chat template: rendering, and which characters of the rendered text are the replies.

Templates are Jinja, in the dialect of Transformers (docs: "Chat templates"); rendering here needs no torch.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import jinja2
import jinja2.ext
import msgspec
from jinja2.sandbox import ImmutableSandboxedEnvironment

from idiolect.curation import Message
from idiolect.dataset.family_schema import schema_template
from idiolect.errors import BaseModelFault


@dataclass(frozen=True)
class ChatTemplate:
    """A template, the names that its tokenizer gives to bos, eos and the like, and all of its control tokens."""

    source: str
    names: dict[str, str]
    control_tokens: tuple[str, ...]

    @cached_property
    def compiled(self) -> jinja2.Template:
        """The template, ready to be rendered. Raises jinja2.TemplateSyntaxError for a broken one."""
        return _environment().from_string(self.source)

    @cached_property
    def _control_token(self) -> re.Pattern[str]:
        longest_first = sorted(self.control_tokens, key=len, reverse=True)
        return re.compile("|".join(map(re.escape, longest_first)))

    def render(self, messages: Sequence[Message], *, ask: bool = False) -> str:
        """Return the text of a talk; with `ask`, up to where the model's reply begins.

        Raises BaseModelFault where the template refuses the messages.
        """
        shown = [{"role": m.role, "content": m.content} for m in messages]
        try:
            return self.compiled.render(messages=shown, add_generation_prompt=ask, **self.names)
        except jinja2.TemplateError as error:
            raise BaseModelFault(
                f"The base model's chat template refuses a talk: {error}",
                "Use an instruct model whose template takes system, user and assistant messages.",
            ) from error

    def render_learned(self, messages: Sequence[Message]) -> tuple[str, tuple[tuple[int, int], ...]]:
        """Return the text of a talk and the [start, end) of each reply with its end-of-turn token.

        The replies are found by rendering the talk once more with a mark in place of each, so that any template
        works that passes replies through unchanged. Raises BaseModelFault for one that does not, or that
        closes a reply with no control token.
        """
        text = self.render(messages)
        marks = [uuid.uuid4().hex if m.role == "assistant" else "" for m in messages]
        marked = self.render([Message(m.role, mark or m.content) for m, mark in zip(messages, marks, strict=True)])
        replies = [(mark, m.content) for mark, m in zip(marks, messages, strict=True) if mark]
        spans = []
        rebuilt = ""
        for mark, reply in replies:
            before, found, marked = marked.partition(mark)
            start = len(rebuilt) + len(before)
            rebuilt += before + reply
            if not found or not text.startswith(rebuilt):
                raise BaseModelFault(
                    f"The base model's chat template changes or swallows a reply: {reply[:60]!r}",
                    "What is learned cannot be marked then; use another instruct model.",
                )
            spans.append((start, len(rebuilt) + self._turn_end(marked)))
        return text, tuple(spans)

    def plain(self, text: str) -> str:
        """Return what somebody said without control tokens: a quoted one would end a turn, and be learned so."""
        return self._control_token.sub("", text) if self.control_tokens else text

    @property
    def turn_end(self) -> str:
        """The control token that ends a reply."""
        text, ((start, end),) = self.render_learned([Message("user", "?"), Message("assistant", "!")])
        return text[start + 1 : end].strip()

    def _turn_end(self, after_reply: str) -> int:
        """Return how many characters after a reply belong to it: up to the first control token's end."""
        token = self._control_token.search(after_reply) if self.control_tokens else None
        if token is None or after_reply[: token.start()].strip():
            raise BaseModelFault(
                "The base model's chat template does not end a reply with a control token.",
                "A model trained on it would never stop; use an instruct model.",
            )
        return token.end()


def load_chat_template(folder: Path, schemas: Path | None = None, model: str = "") -> ChatTemplate:
    """Read the template of a Transformers folder; for a `model` without one, make it from a file in `schemas`.

    Raises BaseModelFault where there is none, or a broken one.
    """
    try:
        settings: dict[str, Any] = msgspec.json.decode((folder / "tokenizer_config.json").read_bytes())
        tokens = msgspec.json.decode((folder / "tokenizer.json").read_bytes())["added_tokens"]
        source = _source(folder, settings) or schema_template(schemas, model)
        template = ChatTemplate(source, _names(settings), tuple(t["content"] for t in tokens if t["special"]))
        _ = template.compiled
    except (OSError, msgspec.DecodeError, KeyError, TypeError, jinja2.TemplateSyntaxError) as error:
        raise BaseModelFault(
            f"{folder}: the tokenizer's chat template cannot be read ({error!r}).",
            "Use an instruct model in Transformers form, with tokenizer.json and a chat template.",
        ) from error
    return template


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


def _environment() -> jinja2.Environment:
    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[jinja2.ext.loopcontrols]
    )
    environment.filters["tojson"] = lambda value, **how: json.dumps(value, ensure_ascii=False, **how)
    environment.globals["raise_exception"] = _refuse
    # A date in the text would make every run differ and serving differ from training: it stays the same day.
    environment.globals["strftime_now"] = datetime(2026, 1, 1).strftime
    return environment


def _refuse(message: str) -> None:
    raise jinja2.TemplateError(message)
