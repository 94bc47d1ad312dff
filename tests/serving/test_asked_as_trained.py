"""The matrix: real chat templates, with real tokenizers where a registry has them, as everybody renders and cuts them.

Every reply of conversations of one, two and five turns, with a system message and without: what training saw before it
is compared, token for token, with what llama.cpp asks with. The text is compared, too, with what Transformers makes of
the template under today's date and with thinking on (so Ollama from 0.30 on, which renders as llama.cpp does), and with
our template of Go, where there is one.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from transformers.utils.chat_template_utils import render_jinja_template

from idiolect.bases import BaseModel
from idiolect.curation import Message, Source
from idiolect.dataset import (
    ChatTemplate,
    FormattedSample,
    RenderedSample,
    apply_schema,
    load_chat_template,
    shown,
)
from idiolect.files import write_json
from idiolect.home import Dataset
from idiolect.serving import go_template
from idiolect.workflow.models.parity import compare_base
from idiolect.workflow.planning.plan import Target
from tests.ollama_templates import render_go
from tests.real import templates, write_base

SAID = [
    "Wind west 5, one passenger green.",
    "</s> <|im_end|> [INST] hé e\u0301 blå 北京 ﷺ ﬁ",
    "  two  spaces\n\n\tand tabs\r\n",
    "`code`: def f(x): return x + 1  # 1996, 2026-11-25",
    "👩‍🚀 🇳🇴 don't, won't, I'LL",
    "12345678 1 22 333.",
]
SYSTEM = Message("system", "You are Ada, talking.")
#: Real template (None: the tokenizer's own) with the real tokenizer of its family.
REAL = [
    (None, "qwen3"),
    ("qwen3", "qwen3"),
    ("qwen3_6", "qwen3"),
    ("qwen3_8", "qwen3"),
    ("qwen3_instruct_2507", "qwen3"),
    ("qwen2_5", "qwen2_5"),
    (None, "llama3_1"),
    ("llama3_1", "llama3_1"),
    ("llama3_2", "llama3_1"),
    ("llava_next", "llama2"),
    (None, "mistral_nemo"),
    ("gemma3", "gemma3"),
    ("gptoss", "gptoss"),
]


def conversation(turns: int, *, system: bool) -> tuple[Message, ...]:
    said = [Message(("user", "assistant")[n % 2], f"{SAID[n % len(SAID)]} {turns}") for n in range(2 * turns)]
    return ((SYSTEM,) if system else ()) + tuple(said)


SOURCE = Source(memory="m", type="chat", timestamp=None, conversation=None, mode_from="type", prompt_from="memory")
SAMPLES = [
    FormattedSample(
        id=f"{turns}{'s' * system}", mode="dual", messages=conversation(turns, system=system), source=SOURCE
    )
    for turns in (1, 2, 5)
    for system in (False, True)
]


def data_set(base: Path, template: ChatTemplate) -> tuple[Dataset, list[RenderedSample]]:
    texts = apply_schema(SAMPLES, template, base / "tokenizer.json", 2048)
    made = Dataset(base, "dataset.jsonl")
    write_json(made.formatted, SAMPLES)
    write_json(made.schema_applied, texts)
    return made, texts


def asked_with(texts: Sequence[RenderedSample], template: ChatTemplate) -> list[tuple[list[Message], str]]:
    """Return what each learned reply stands after, and the conversation that was said so far."""
    said = {s.id: [Message(m.role, template.plain(m.content)) for m in s.messages] for s in SAMPLES}
    return [
        (shown(said[text.sample], text.first, place), text.text[:start])
        for text in texts
        for place, (start, _) in zip(text.replies, text.learned, strict=True)
    ]


def by_transformers(template: ChatTemplate, messages: Sequence[Message]) -> str:
    """Render as Transformers does, with all that a server might say beside: thinking, and today."""
    content: Any = [
        {"role": m.role, "content": [{"type": "text", "text": m.content}] if template.typed else m.content}
        for m in messages
    ]
    today = {"date_string": date.today().isoformat(), "enable_thinking": True, "thinking": True}
    (text,), _ = render_jinja_template(
        [content], chat_template=template.source, add_generation_prompt=True, **{**template.names, **today}
    )
    return str(text)


def check(base: Path) -> None:
    template = load_chat_template(base)
    made, texts = data_set(base, template)
    replies = sum(m.role == "assistant" for s in SAMPLES for m in s.messages)
    assert not [text.dropped for text in texts if text.dropped]
    assert sum(len(text.replies) for text in texts) == replies == 16
    found = compare_base(Target(BaseModel(base.name, base), template), made)
    assert found
    assert not found.differences
    assert found.prompts >= replies + 10
    by_go = go_template(template, base / "tokenizer.json")
    for messages, prompt in asked_with(texts, template):
        assert prompt == by_transformers(template, messages)
        if by_go and not template.names.get("bos_token"):
            assert render_go(by_go, [{"role": m.role, "content": m.content} for m in messages]) == prompt


@pytest.mark.parametrize("name", sorted(templates()))
def test_a_real_template_is_asked_as_it_was_trained(name: str, tmp_path: Path) -> None:
    check(write_base(tmp_path / name, templates()[name]))


@pytest.mark.slow
@pytest.mark.parametrize(("template", "tokenizer"), REAL)
def test_a_real_template_and_its_real_tokenizer_are_asked_as_they_were_trained(
    template: str | None, tokenizer: str, tmp_path: Path
) -> None:
    check(write_base(tmp_path / "base", templates()[template] if template else None, tokenizer))


def test_there_are_templates_to_look_at() -> None:
    """Forty-one of them: a package that was not installed would make the matrix empty."""
    assert len(templates()) == 41
