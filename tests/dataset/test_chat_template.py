from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from transformers import AutoTokenizer

from idiolect.curation import Message
from idiolect.dataset import ChatTemplate, load_chat_template
from idiolect.errors import BaseModelFault

TALK = [
    Message("system", "You are Ada."),
    Message("user", 'Say "hi" and {{ 7 }}.'),
    Message("assistant", "Hi."),
    Message("user", "Hi."),
    Message("assistant", "Hi.\n\n```\nuser\n```\n🐝"),
]
CONTROL = ("<s>", "</s>", "<|im_start|>", "<|im_end|>", "<|eot_id|>", "<end_of_turn>", "<|end|>")

#: How families write a talk, in the least Jinja that does it.
FAMILIES = {
    "chatml": "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}",
    "llama-2": "{% for m in messages %}{% if m.role == 'user' %}{{ bos_token }}[INST] {{ m.content }} [/INST]"
    "{% elif m.role == 'assistant' %} {{ m.content }} {{ eos_token }}{% endif %}{% endfor %}",
    "gemma": "{% for m in messages %}<start_of_turn>{{ 'model' if m.role == 'assistant' else 'user' }}\n"
    "{{ m.content | trim }}<end_of_turn>\n{% endfor %}",
    # As Qwen3 does: an empty thought before the last reply, none before earlier ones.
    "thinking": "{% for m in messages %}<|im_start|>{{ m.role }}\n"
    "{% if m.role == 'assistant' and loop.last %}<think>\n\n</think>\n\n{% endif %}{{ m.content }}<|im_end|>\n"
    "{% endfor %}",
}


def template(source: str) -> ChatTemplate:
    return ChatTemplate(source, {"bos_token": "<s>", "eos_token": "</s>"}, CONTROL)


@pytest.mark.parametrize("family", FAMILIES)
def test_replies_and_their_ends_are_found_whatever_the_family(family: str) -> None:
    text, spans = template(FAMILIES[family]).render_learned(TALK)
    learned = [text[start:end] for start, end in spans]
    assert [part.split("<")[0].rstrip() for part in learned] == ["Hi.", TALK[-1].content.rstrip()]
    assert all(part.endswith(CONTROL) for part in learned)


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("{% for m in messages %}{{ m.content | upper }}<|im_end|>{% endfor %}", "changes or swallows"),
        ("{% for m in messages %}{{ m.content[:20] }}<|im_end|>{% endfor %}", "changes or swallows"),
        ("{{ messages[1].content }}<|im_end|>", "does not end a reply|swallows"),
        ("{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}", "does not end a reply"),
        ("{{ raise_exception('no system here') }}", "no system here"),
    ],
)
def test_a_template_that_cannot_mark_replies_is_refused(source: str, reason: str) -> None:
    with pytest.raises(BaseModelFault, match=reason):
        template(source).render_learned(TALK)


def test_what_is_rendered_is_what_transformers_renders(tiny_base: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(tiny_base)
    ours = load_chat_template(tiny_base)
    talk = [{"role": m.role, "content": m.content} for m in TALK]
    assert ours.render(TALK) == tokenizer.apply_chat_template(talk, tokenize=False)
    assert ours.render(TALK[:2], ask=True) == tokenizer.apply_chat_template(
        talk[:2], tokenize=False, add_generation_prompt=True
    )
    assert ours.turn_end == "<|im_end|>"


def test_the_template_is_found_wherever_it_stands(tiny_base: Path, tmp_path: Path) -> None:
    settings = json.loads((tiny_base / "tokenizer_config.json").read_text())
    source = settings.pop("chat_template")
    shutil.copyfile(tiny_base / "tokenizer.json", tmp_path / "tokenizer.json")
    named = [{"name": "tool_use", "template": "x"}, {"name": "default", "template": source}]
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(settings | {"chat_template": named}))
    assert load_chat_template(tmp_path).source == source
    (tmp_path / "chat_template.jinja").write_text("{{ 'file' }}<|im_end|>")
    assert load_chat_template(tmp_path).source == "{{ 'file' }}<|im_end|>"


@pytest.mark.parametrize("broken", ["{% for", "{{ messages | nosuchfilter }}"])
def test_a_broken_template_is_refused_by_name(tiny_base: Path, tmp_path: Path, broken: str) -> None:
    shutil.copytree(tiny_base, tmp_path / "base")
    (tmp_path / "base" / "chat_template.jinja").write_text(broken)
    with pytest.raises(BaseModelFault, match=r"base: the tokenizer's chat template"):
        load_chat_template(tmp_path / "base")


def test_a_folder_without_one_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BaseModelFault, match="chat template"):
        load_chat_template(tmp_path)
