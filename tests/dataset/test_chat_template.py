"""A base's template is normalised: what it asks with is fixed, and ends just where a reply begins."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from transformers import AutoTokenizer

from idiolect.curation import Message
from idiolect.dataset import ChatTemplate, chat_template, load_chat_template
from idiolect.dataset.normalised_template import PRELUDE
from idiolect.errors import BaseModelFault

ASKED = [
    Message("system", "You are Ada."),
    Message("user", 'Say "hi" and {{ 7 }}.'),
    Message("assistant", "Hi."),
    Message("user", "Hi."),
]
REPLY = "Hi.\n\n```\nuser\n```\n🐝"
CONTROL = ("<s>", "</s>", "<|im_start|>", "<|im_end|>", "<|eot_id|>", "<end_of_turn>", "<|end|>", "<|user|>")

CHATML = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
#: How families ask, in the least Jinja that does it → what the model must then produce, and after which text.
FAMILIES = {
    "chatml": (CHATML, "assistant\n", f"{REPLY}<|im_end|>"),
    "a blank before the reply": (
        "{% for m in messages %}{% if m.role == 'assistant' %} {{ m.content }}</s>{% else %}"
        "{{ bos_token }}[INST] {{ m.content }} [/INST]{% endif %}{% endfor %}",
        "Hi. [/INST]",
        f" {REPLY}</s>",
    ),
    "an empty thought before the last reply": (
        "{% for m in messages %}<|im_start|>{{ m.role }}\n"
        "{% if m.role == 'assistant' and loop.last %}<think>\n\n</think>\n\n{% endif %}{{ m.content }}<|im_end|>\n"
        "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n"
        "{% if enable_thinking is defined and not enable_thinking %}<think>\n\n</think>\n\n{% endif %}{% endif %}",
        "assistant\n<think>\n\n</think>\n\n",
        f"{REPLY}<|im_end|>",
    ),
    "a thought that the prompt opens": (
        CHATML.replace("assistant\n{% endif", "assistant\n<think>\n{% endif"),
        "assistant\n<think>\n\n</think>\n\n",
        f"{REPLY}<|im_end|>",
    ),
    "a channel that only the finished reply names": (
        "{% for m in messages %}<|im_start|>{{ m.role }}{% if m.role == 'assistant' %} to=all{% endif %}<s>"
        "{{ m.content }}<|im_end|>{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant{% endif %}",
        "assistant to=all<s>",
        f"{REPLY}<|im_end|>",
    ),
    "no end of a turn": (
        "{% for m in messages %}<|{{ m.role }}|>\n{{ m.content }}{% endfor %}"
        "{% if add_generation_prompt %}<|assistant|>\n{% endif %}",
        "<|assistant|>\n",
        f"{REPLY}</s>",
    ),
    "generation tags": (
        "{% for m in messages %}{{ '<|im_start|>' + m.role + '\n' }}{%- if m.role == 'assistant' -%}"
        "{%- generation -%}{{ m.content }}<|im_end|>{%- endgeneration %}{% else %}{{ m.content }}<|im_end|>"
        "{% endif %}\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}",
        "assistant\n",
        f"{REPLY}<|im_end|>",
    ),
    "content in parts": (
        "{% for m in messages %}<|im_start|>{{ m.role }}\n{% for part in m.content %}{% if part.type == 'text' %}"
        "{{ part.text }}{% endif %}{% endfor %}<|im_end|>\n{% endfor %}"
        "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}",
        "assistant\n",
        f"{REPLY}<|im_end|>",
    ),
}


def template(source: str) -> ChatTemplate:
    return chat_template(source, {"bos_token": "<s>", "eos_token": "</s>"}, CONTROL)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_prompt_ends_where_the_reply_begins_whatever_the_family(family: str) -> None:
    source, ending, produced = FAMILIES[family]
    made = template(source)
    prompt = made.prompt(ASKED)
    assert prompt.endswith(ending)
    text, (start, end) = made.answered(prompt, REPLY)
    assert text[:start] == prompt
    assert text[start:end] == produced
    assert "You are Ada." in prompt


@pytest.mark.parametrize("family", FAMILIES)
def test_normalising_again_changes_nothing(family: str) -> None:
    once = template(FAMILIES[family][0])
    assert template(once.source) == once


def test_the_date_stands_still_and_thinking_is_off() -> None:
    dated = "{{ strftime_now('%d %B %Y, %H:%M') }} {{ date_string }} {{ enable_thinking }}" + CHATML
    assert template(dated).prompt(ASKED).startswith("01 January 2026, 08:00 26 Jul 2024 False<")


def test_a_system_message_begins_the_first_turn_where_the_template_refuses_one() -> None:
    refusing = "{% if messages[0].role == 'system' %}{{ raise_exception('no system') }}{% endif %}" + CHATML
    assert template(refusing).prompt(ASKED) == (
        '<|im_start|>user\nYou are Ada.\n\nSay "hi" and {{ 7 }}.<|im_end|>\n<|im_start|>assistant\nHi.<|im_end|>\n'
        "<|im_start|>user\nHi.<|im_end|>\n<|im_start|>assistant\n"
    )


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("{% for m in messages %}{{ m.content | upper }}<|im_end|>{% endfor %}", "does not stand in what it is asked"),
        ("{% for m in messages %}{{ m.content[:4] }}<|im_end|>{% endfor %}", "does not stand in what it is asked"),
        (CHATML.replace("m.content", "(m.content if m.role != 'assistant' else '')"), "a reply does not stand"),
        ("{{ raise_exception('not today') }}", "not today"),
        ("{{ 1 / 0 }}", "ZeroDivisionError"),
        ("{{ messages | nosuchfilter }}", "nosuchfilter"),
        ("{% for", "TemplateSyntaxError"),
        (CHATML.replace("assistant\n{% endif", "somebody else\n{% endif"), "one is not the other"),
    ],
)
def test_a_template_that_cannot_be_asked_as_it_is_trained_is_refused_with_the_reason(source: str, reason: str) -> None:
    with pytest.raises(BaseModelFault, match=reason):
        template(source)


def test_without_any_token_that_ends_a_text_it_is_refused() -> None:
    with pytest.raises(BaseModelFault, match="never stop"):
        chat_template("{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}", {}, CONTROL)


def test_control_tokens_of_any_kind_are_taken_out_of_what_is_said() -> None:
    made = template(CHATML)
    assert made.plain("  <|im_end|>Hi <|im_<|im_end|>end|>there</s>.\n") == "Hi there."
    assert made.plain("e\u0301t\u00e9") == "\u00e9t\u00e9"
    assert made.plain("cafe<|im_end|>\u0301 \ud83d") == "caf\u00e9"
    assert "<|im_end|>" not in made.plain("<|im_" * 3000 + "end|>" * 3000)


def test_a_word_of_the_vocabulary_that_llama_cpp_takes_for_control_is_one(tiny_base: Path, tmp_path: Path) -> None:
    """Qwen's vocabulary has `</s>` as a word like any other; llama.cpp ends a text at it."""
    base = shutil.copytree(tiny_base, tmp_path / "base")
    tokenizer = json.loads((base / "tokenizer.json").read_text())
    tokenizer["model"]["vocab"] |= {"</s>": 440, "<|other|>": 441, "<b>": 442}
    (base / "tokenizer.json").write_text(json.dumps(tokenizer))
    assert load_chat_template(base).plain("a</s><|other|> <b>b</b>") == "a <b>b</b>"
    assert load_chat_template(tiny_base).plain("a</s><|other|> <b>b</b>") == "a</s><|other|> <b>b</b>"


def test_what_is_asked_with_is_what_transformers_asks_with(tiny_base: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(tiny_base)
    conversation = [{"role": m.role, "content": m.content} for m in ASKED]
    theirs = tokenizer.apply_chat_template(conversation, tokenize=False, add_generation_prompt=True)
    assert load_chat_template(tiny_base).prompt(ASKED) == theirs
    assert load_chat_template(tiny_base).turn_end == "<|im_end|>"


def test_the_template_is_found_wherever_it_stands(tiny_base: Path, tmp_path: Path) -> None:
    settings = json.loads((tiny_base / "tokenizer_config.json").read_text())
    source = settings.pop("chat_template")
    shutil.copyfile(tiny_base / "tokenizer.json", tmp_path / "tokenizer.json")
    named = [{"name": "tool_use", "template": "x"}, {"name": "default", "template": source}]
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(settings | {"chat_template": named}))
    assert load_chat_template(tmp_path).source == PRELUDE + source
    (tmp_path / "chat_template.jinja").write_text("{{ 'file' }}" + source)
    assert load_chat_template(tmp_path).source == PRELUDE + "{{ 'file' }}" + source


def test_a_folder_whose_template_cannot_be_used_is_named(tiny_base: Path, tmp_path: Path) -> None:
    base = shutil.copytree(tiny_base, tmp_path / "base")
    (base / "chat_template.jinja").write_text("{% for")
    with pytest.raises(BaseModelFault, match=r"base: The base model's chat template"):
        load_chat_template(base)
    with pytest.raises(BaseModelFault, match="chat template"):
        load_chat_template(tmp_path)
