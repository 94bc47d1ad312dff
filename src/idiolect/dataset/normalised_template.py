"""A base model's chat template made such that every server asks with the same text, and nothing in it moves.

What is trained with, what stands in the model file and what Ollama gets is this one text. Against the base's own:

- there are no tools, whoever asks: llama.cpp tries a template with some, which nothing here renders;
- the date is frozen and thinking is off (llama.cpp and Ollama say today's date, and turn thinking on);
- `{% generation %}`, Transformers' mark of what is learned, becomes a block that every Jinja knows;
- what the base writes before each reply without being asked (an empty thought, a channel) ends the prompt;
- a thought that the prompt opens is closed again, empty;
- a system message that the template refuses or leaves out becomes the beginning of the first turn;
- a begin-of-text token that the tokenizer puts before any text stands in the template, too;
- a filter of tool calls that llama.cpp does not know, and that nothing here needs, is left out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from idiolect.curation import Message
from idiolect.dataset.rendering import Rendered, render
from idiolect.errors import BaseModelFault

#: 1 January 2026 at eight, in the fields of strftime that templates ask for; the date of Llama 3's own default.
_FIELDS = {
    "%-d": "1",
    "%d": "01",
    "%B": "January",
    "%b": "Jan",
    "%m": "01",
    "%Y": "2026",
    "%y": "26",
    "%A": "Thursday",
    "%a": "Thu",
    "%H": "08",
    "%I": "08",
    "%M": "00",
    "%S": "00",
    "%p": "AM",
}
_STRFTIME = "f" + "".join(f".replace({json.dumps(field)}, {json.dumps(value)})" for field, value in _FIELDS.items())
PRELUDE = (
    '{%- set date_string = "26 Jul 2024" -%}{%- set enable_thinking = false -%}{%- set thinking = false -%}'
    "{%- set tools = none -%}"
    "{%- macro strftime_now(f) -%}{{- " + _STRFTIME + " -}}{%- endmacro -%}"
)
#: The system message as the beginning of the first turn, for a template that knows no such role.
_SYSTEM_IN_FIRST_TURN = (
    "{%- if messages[0].role == 'system' and messages | length > 1 -%}"
    "{%- set messages = [{'role': messages[1].role, 'content': messages[0].content + '\\n\\n' + messages[1].content}]"
    " + messages[2:] -%}{%- endif -%}"
)
_BEGIN = "{{- bos_token -}}"
_TOOL_FILTER = re.compile(r"""\|\s*selectattr\(\s*["']tool_calls["']\s*,\s*["']undefined["']\s*\)""")
_GENERATION = re.compile(r"\{%([-+]?)\s*(end)?generation\s*([-+]?)%\}")

#: How models open and close what they think before they answer. Gemma 4 names a channel instead.
THOUGHTS = {
    "<think>": "</think>",
    "<thought>": "</thought>",
    "<seed:think>": "</seed:think>",
    "<reasoning>": "</reasoning>",
    "[THINK]": "[/THINK]",
    "<|START_THINKING|>": "<|END_THINKING|>",
    "<|begin_of_thought|>": "<|end_of_thought|>",
    "<|channel>thought": "<channel|>",
}

#: Stands where somebody says something; of letters alone, so that no template and no tokenizer reads more into it.
_MARK, _QUESTION = "qjxzreplyvwk", "qjxzquestionvwk"
#: Stands in a text where a template wrote a list of parts down instead of reading it.
_A_PART = "'type': 'text'"


@dataclass(frozen=True)
class Normalised:
    """A template as it is trained and served with, and what comes before and after the words of a reply.

    `typed`: content is passed as a list of parts. `lead` is white space that the model itself begins a reply with.
    `close` is all from the end of a reply to the end of its turn, control token included.
    """

    source: str
    typed: bool
    lead: str
    close: str


def normalise(source: str, names: Mapping[str, str], control_tokens: Sequence[str], begin: str = "") -> Normalised:
    """Normalise a chat template; one that is already so stays as it is.

    `begin` is the token that the tokenizer puts before any text, if it does.
    Raises BaseModelFault for a template that cannot be asked as it was trained, with the reason.
    """
    if not source.startswith(PRELUDE):
        source = PRELUDE + _TOOL_FILTER.sub("", _GENERATION.sub(_as_condition, source))
    typed = _takes_parts(source, names)

    def texts(source: str, *prompts: tuple[Sequence[Message], bool]) -> list[Rendered]:
        return render(source, names, prompts, typed=typed)

    source = _begun(_with_system_message(source, texts), begin, texts)
    source, lead, after = _ends_where_the_reply_begins(source, texts)
    # Where the template writes none (GLM ends a turn by beginning the next), the end of text ends a turn.
    close = _close(after, control_tokens) or _close(names.get("eos_token", ""), control_tokens)
    if not close:
        raise _refused(f"no control token ends a reply (…{after[:40]!r}): a model trained on it would never stop")
    return Normalised(source, typed, lead, close)


Texts = Callable[..., list[Rendered]]


def _as_condition(tag: re.Match[str]) -> str:
    before, end, after = tag.groups()
    return f"{{%{before} {'endif' if end else 'if true'} {after}%}}"


def _takes_parts(source: str, names: Mapping[str, str]) -> bool:
    """Say whether a template wants content in parts. Raises BaseModelFault where it shows it in neither form."""
    question: Sequence[Message] = [Message("user", _MARK)]
    for typed in (False, True):
        (shown,) = render(source, names, [(question, True)], typed=typed)
        if _MARK in shown.text and _A_PART not in shown.text:
            return typed
    raise _refused(shown.fault or "what is said to the model does not stand in what it is asked with")


def _with_system_message(source: str, texts: Texts) -> str:
    talk = [Message("system", _MARK), Message("user", _QUESTION)]
    (shown,) = texts(source, (talk, True))
    if _MARK in shown.text:
        return source
    joined = source.replace(PRELUDE, PRELUDE + _SYSTEM_IN_FIRST_TURN, 1)
    (shown,) = texts(joined, (talk, True))
    if _MARK not in shown.text:
        raise _refused(shown.fault or "a system message does not stand in what the model is asked with")
    return joined


def _begun(source: str, begin: str, texts: Texts) -> str:
    (shown,) = texts(source, ([Message("user", _QUESTION)], True))
    return source if shown.text.startswith(begin) else source.replace(PRELUDE, PRELUDE + _BEGIN, 1)


def _ends_where_the_reply_begins(source: str, texts: Texts) -> tuple[str, str, str]:
    """Return the template whose prompt ends where a reply begins, the white space before it, and what comes after."""
    question = [Message("user", _QUESTION)]
    said = [*question, Message("assistant", _MARK)]
    prompt, whole = texts(source, (question, True), (said, False))
    if fault := prompt.fault or whole.fault:
        raise _refused(fault)
    head, found, after = whole.text.partition(_MARK)
    if not found:
        raise _refused("a reply does not stand in a conversation as it was said")
    if head.startswith(prompt.text):
        lead = head.removeprefix(prompt.text)
        return (source, lead, after) if not lead.strip() else (_ending_in(source, lead), "", after)
    same = _same(prompt.text, head)
    thought = prompt.text[same:].strip()
    closed = _closed(thought)
    if closed is None or head[same:].strip():
        raise _refused(
            f"it asks with …{prompt.text[-40:]!r}, and a reply stands after …{head[-40:]!r}: one is not the other"
        )
    return (source if closed == "" else _ending_in(source, closed), "", after)


def _closed(thought: str) -> str | None:
    """Return what closes a thought that a prompt opens: nothing if it is closed already; None if it is no thought."""
    for opening, closing in THOUGHTS.items():
        if thought == opening:
            return f"\n{closing}\n\n"
        if thought.startswith(opening) and thought.endswith(closing):
            return ""
    return None


def _ending_in(source: str, text: str) -> str:
    # An expression, not a block: neither Jinja takes white space away around one. It drops a last line break itself.
    written = json.dumps(text, ensure_ascii=False)
    return source.removesuffix("\n") + f'{{{{ {written} if add_generation_prompt else "" }}}}'


def _close(after: str, control_tokens: Sequence[str]) -> str:
    """Return what ends a turn: a control token, or several in a row, with nothing but white space before them."""
    longest_first = sorted(filter(None, control_tokens), key=len, reverse=True)
    tokens = "|".join(map(re.escape, longest_first))
    ending = re.match(rf"\s*(?:{tokens})+", after) if tokens else None
    return ending[0] if ending else ""


def _same(one: str, other: str) -> int:
    return next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def _refused(why: str) -> BaseModelFault:
    return BaseModelFault(
        f"The base model's chat template cannot be used: {why}.",
        "Use an instruct model whose template shows system, user and assistant messages as they were said.",
    )
