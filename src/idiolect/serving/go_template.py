"""A chat template of Jinja as a template of Go that renders the same text, for Ollama before 0.30.

What a template writes between two messages depends, for most of them, only on whose they are. Those texts are read
off the Jinja by rendering talks of marks. Where one and the same edge comes out in two ways, the template does more
than that, and has no Go template here. One that trims what is said is taken as one that does not: Go cannot trim.

Go: pkg.go.dev/text/template. Ollama renders one that names .Messages in one go (its template/template.go, Execute).
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from idiolect.curation import Message
from idiolect.dataset import ChatTemplate
from idiolect.errors import BaseModelFault

#: Whose message stands before, whose after; `start` and `end` are the talk's own.
Edge = tuple[str, str]

Role = Literal["system", "user", "assistant"]

#: Talks in which every edge occurs that a talk can have: with and without a system message, one turn and several.
_ROLES: tuple[tuple[Role, ...], ...] = (
    ("user",),
    ("system", "user"),
    ("user", "assistant", "user"),
    ("system", "user", "assistant", "user", "assistant", "user"),
)


def go_template(template: ChatTemplate, tokenizer_json: Path) -> str | None:
    """Return a Go template that renders what `template` does, or None where there is none of this form.

    A begin-of-text token is left out where the tokenizer puts one there itself.
    """
    edges = _edges(template)
    if edges is None:
        return None
    if _begins_by_itself(tokenizer_json):
        bos = template.names.get("bos_token", "")
        edges = {edge: text.removeprefix(bos) if edge[0] == "start" else text for edge, text in edges.items()}
    return _written(edges, skips_empty=_skips_an_empty_system_message(template))


def _skips_an_empty_system_message(template: ChatTemplate) -> bool:
    """Return whether the template writes nothing at all for one, as if it were not there."""
    said = Message("user", uuid.uuid4().hex)
    try:
        return template.prompt([Message("system", ""), said]) == template.prompt([said])
    except BaseModelFault:
        return False


def _begins_by_itself(tokenizer_json: Path) -> bool:
    from tokenizers import Tokenizer

    return bool(Tokenizer.from_file(str(tokenizer_json)).encode("").ids)


def _edges(template: ChatTemplate) -> dict[Edge, str] | None:
    """Return what the template writes at each edge, or None if that is not one text an edge."""
    edges: dict[Edge, str] = {}
    for roles in _ROLES:
        messages = [Message(role, uuid.uuid4().hex) for role in roles]
        try:
            rest = template.prompt(messages)
        except BaseModelFault:
            if "system" in roles:
                continue  # it takes no system message, whoever renders it
            return None
        for before, message in zip(("start", *roles), messages, strict=False):
            text, found, rest = rest.partition(message.content)
            if not found or edges.setdefault((before, message.role), text) != text:
                return None
        if edges.setdefault((roles[-1], "end"), rest) != rest:
            return None
    return edges


def _written(edges: Mapping[Edge, str], *, skips_empty: bool) -> str:
    """Write a Go template that goes from message to message, and remembers whose the last one was."""
    roles = ("system", "user", "assistant")
    body = "".join(_chosen(edges, role, skips_empty) for role in roles if any(after == role for _, after in edges))
    last = _literal(edges["user", "end"])
    remembers = "{{ $before = .Role }}"
    if skips_empty:
        remembers = f'{{{{ if ne .Role "system" }}}}{remembers}{{{{ else if ne .Content "" }}}}{remembers}{{{{ end }}}}'
    return (
        f'{{{{- $before := "start" }}}}{{{{ range .Messages }}}}{body}{{{{ .Content }}}}{remembers}{{{{ end }}}}'
        f'{{{{ if ne $before "assistant" }}}}{last}{{{{ end }}}}'
    )


def _chosen(edges: Mapping[Edge, str], role: str, skips_empty: bool) -> str:
    """Write the choice of the text before a message of `role`."""
    froms = [(before, text) for (before, after), text in edges.items() if after == role]
    choice = "".join(
        f'{{{{ {"else " if number else ""}if eq $before "{before}" }}}}{_literal(text)}'
        for number, (before, text) in enumerate(froms)
    )
    choice += "{{ end }}"
    if skips_empty and role == "system":
        choice = f'{{{{ if ne .Content "" }}}}{choice}{{{{ end }}}}'
    return f'{{{{ if eq .Role "{role}" }}}}{choice}{{{{ end }}}}'


def _literal(text: str) -> str:
    """Write a text as an action that prints it: no brace, quote or space in it can be taken for something else."""
    return f"{{{{ {json.dumps(text, ensure_ascii=False)} }}}}" if text else ""
