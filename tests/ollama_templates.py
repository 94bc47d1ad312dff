"""Templates as Ollama treats them, for its stand-in: which it takes for its own, which it prefers, what they render."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import jinja2
import jinja2.ext

from tests.tiny import CHAT_TEMPLATE


def detected(jinja: str) -> bool:
    """Return whether Ollama takes a template for one that it knows, here ChatML: fewer than 100 edits away."""
    row = list(range(len(CHAT_TEMPLATE) + 1))
    for at, one in enumerate(jinja[:2000], 1):
        corner, row[0] = row[0], at
        for place, other in enumerate(CHAT_TEMPLATE, 1):
            corner, row[place] = row[place], min(row[place] + 1, row[place - 1] + 1, corner + (one != other))
    return row[-1] < 100 and len(jinja) <= 2000


def bad_template(template: str) -> str:
    """Say what is wrong with a template of Go, as far as that can be seen without Go."""
    open_blocks = 0
    for action in re.findall(r"\{\{-?(.*?)-?\}\}", template, re.DOTALL):
        word = action.split()[0] if action.split() else ""
        open_blocks += (word in {"range", "if", "with"}) - (word == "end")
    if template.count("{{") != template.count("}}"):
        return "template: :1: unclosed action"
    return "template: :1: unexpected EOF" if open_blocks > 0 else ""


def shows_more(jinja: str, go: str) -> bool:
    """Return whether a GGUF's own template shows more than one of Go, which is not used then (server/images.go)."""
    tools = "tools" in jinja or "tool_call" in jinja
    thinks = ("<think>" in jinja and "</think>" in jinja) or (
        "content.split('</think>')" in jinja and "reasoning_content" not in jinja
    )
    return (tools and ".Tools" not in go) or (thinks and ".Think" not in go)


def render_jinja(jinja: str, messages: Sequence[Mapping[str, str]]) -> str:
    """Render as llama.cpp does, which says what day it is, and that the model may think."""
    environment = jinja2.Environment(  # noqa: S701 - a prompt is no page
        trim_blocks=True, lstrip_blocks=True, extensions=[jinja2.ext.loopcontrols]
    )
    environment.globals["strftime_now"] = lambda form: datetime.now().strftime(form)
    today = datetime.now().strftime("%d %b %Y")
    compiled = environment.from_string(jinja)
    return str(compiled.render(messages=messages, add_generation_prompt=True, enable_thinking=True, date_string=today))


def render_go(template: str, messages: Sequence[Mapping[str, str]]) -> str:
    """Render the part of Go's templates that ours are written in; .Prompt is the last message, of no role."""
    actions = re.findall(r'\{\{-?\s*((?:"(?:\\.|[^"\\])*"|[^"}])*?)\s*-?\}\}', template)
    assert "".join(f"{{{{ {a} }}}}" for a in actions) == template.replace("{{-", "{{"), "no text between actions"
    if actions == [".Prompt"]:
        return messages[-1]["content"]
    program, rest = _block(actions)
    assert not rest
    return _run(program, {"Messages": messages})


_Node = tuple[str, Any]


def _block(actions: Sequence[str]) -> tuple[list[_Node], Sequence[str]]:
    """Read actions up to the end of their block: (`say`|`set`|`range`|`if`, what) each."""
    nodes: list[_Node] = []
    while actions and actions[0] != "end" and not actions[0].startswith("else"):
        head, actions = actions[0], actions[1:]
        if head.startswith("range "):
            inner, actions = _block(actions)
            nodes.append(("range", inner))
            actions = actions[1:]
        elif head.startswith("if "):
            branches = [(head.removeprefix("if "), *_block(actions))]
            while branches[-1][2][0].startswith("else if "):
                after = branches[-1][2]
                branches.append((after[0].removeprefix("else if "), *_block(after[1:])))
            actions = branches[-1][2][1:]
            nodes.append(("if", [(condition, inner) for condition, inner, _ in branches]))
        else:
            nodes.append(("set" if "=" in head.split() or ":=" in head.split() else "say", head))
    return nodes, actions


def _run(nodes: Sequence[_Node], scope: dict[str, Any]) -> str:
    out = []
    for kind, what in nodes:
        if kind == "range":
            for message in scope["Messages"]:
                scope |= {".Role": message["role"], ".Content": message["content"]}
                out.append(_run(what, scope))
        elif kind == "if":
            held = [inner for condition, inner in what if _holds(condition, scope)]
            out.append(_run(held[0], scope) if held else "")
        elif kind == "set":
            variable, _, value = what.split()
            scope[variable] = _value(value, scope)
        else:
            out.append(_value(what, scope))
    return "".join(out)


def _holds(condition: str, scope: Mapping[str, Any]) -> bool:
    compare, left, right = condition.split()
    return (_value(left, scope) == _value(right, scope)) == (compare == "eq")


def _value(word: str, scope: Mapping[str, Any]) -> str:
    return str(json.loads(word) if word.startswith('"') else scope[word])
