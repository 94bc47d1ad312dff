"""What a real llama.cpp answers: as the model says it, or as an error that is said."""

from __future__ import annotations

from pathlib import Path

import pytest

from idiolect.bases.embedded import packaged_gguf
from idiolect.curation import Message
from idiolect.errors import RunFailed, UserFault
from idiolect.export import export_gguf
from idiolect.serving import Sampling, continuation, load, reply
from idiolect.serving.in_process import prompt_text

HI = [Message("user", "Hi.")]
TURNS = "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
#: As Qwen3.6 and Nemotron ask: with a thought that is begun, unless they are asked not to think.
REASONING = (
    TURNS + "{% if add_generation_prompt %}<|im_start|>assistant\n"
    "{% if enable_thinking is defined and enable_thinking is false %}<think>\n\n</think>\n\n{% else %}<think>\n"
    "{% endif %}{% endif %}"
)
#: As R1's distilled models ask: with a thought that is begun, whatever they are asked.
ALWAYS = TURNS + "{% if add_generation_prompt %}<|im_start|>assistant\n<think>\n{% endif %}"
#: gpt-oss' marks: llama.cpp guesses a form of its answers from them, and fails where one has another form.
CHANNELS = (
    "{% for m in messages %}<|start|>{{ m.role }}<|message|>{{ m.content }}<|end|>{% endfor %}"
    "{% if add_generation_prompt %}<|start|>assistant<|channel|>final<|message|>{% endif %}"
    "{# <|channel|>analysis<|message|> #}"
)


def gguf_with(template: str, base: Path, folder: Path) -> Path:
    export_gguf(base, folder / "m.gguf", "Q8_0", name="ada", chat_template=template)
    return folder / "m.gguf"


@pytest.mark.slow
def test_a_model_answers_in_pieces_and_stops_of_itself() -> None:
    model = load(packaged_gguf())
    pieces: list[str] = []
    talk = [Message("system", "You answer in one word."), Message("user", "What is the capital of France?")]
    answer = reply(model, talk, Sampling(temperature=0.0), pieces.append)
    assert "Paris" in answer.text
    assert answer.text == "".join(pieces).strip()
    assert len(pieces) > 1
    assert answer.finish_reason == "stop"
    cut = reply(model, talk, Sampling(max_tokens=1))
    assert (cut.finish_reason, cut.tokens) == ("length", 1)


@pytest.mark.parametrize("template", [REASONING, CHANNELS], ids=["thinks unless asked not to", "has channels"])
def test_whatever_the_template_a_reply_is_all_that_the_model_says(
    template: str, tiny_base: Path, tmp_path: Path
) -> None:
    model = load(gguf_with(template, tiny_base, tmp_path), 256)
    assert not prompt_text(model, HI).endswith("<think>\n")
    pieces: list[str] = []
    answer = reply(model, HI, Sampling(max_tokens=12, seed=3), pieces.append)
    assert answer.text
    assert answer.text == "".join(pieces).strip()
    assert answer.said == answer.text
    assert answer.thought == ""
    assert answer.tokens == 12


def test_a_thought_alone_is_said_to_be_one(tiny_base: Path, tmp_path: Path) -> None:
    model = load(gguf_with(ALWAYS, tiny_base, tmp_path), 256)
    answer = reply(model, HI, Sampling(max_tokens=12, seed=3))
    assert answer.text == ""
    assert answer.thought
    assert answer.said == f"(a thought, and no answer: {answer.thought})"


def test_an_answer_says_why_it_ended(tiny_gguf: Path) -> None:
    model = load(tiny_gguf, 256)
    assert reply(model, HI, Sampling(max_tokens=2)).finish_reason == "length"
    heard: list[str] = []
    halted = reply(model, HI, Sampling(max_tokens=60), heard.append, lambda: len(heard) > 1)
    assert halted.finish_reason == "stopped"
    long = [Message("user", "Hi. " * 45)]
    full = reply(model, long, Sampling(max_tokens=5000))
    assert (full.finish_reason, full.tokens < 256) in (("length", True), ("stop", True))


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("word " * 400, "exceeds the available context size"),
        ("a half \ud800 of a character", "no text"),
        ("a" * 30_000, "in a row without a break"),
        ("-" * 30_000, "in a row without a break"),
    ],
    ids=["too long", "half a character", "a word without an end", "a line without an end"],
)
def test_what_cannot_be_asked_is_an_error_and_no_empty_answer(tiny_gguf: Path, said: str, why: str) -> None:
    model = load(tiny_gguf, 256, warm_up=False)
    with pytest.raises(UserFault, match=why):
        reply(model, [Message("user", said)])
    assert reply(model, HI, Sampling(max_tokens=1)).tokens == 1


def test_a_text_longer_than_the_model_holds_cannot_be_gone_on_with(tiny_gguf: Path) -> None:
    with pytest.raises(RunFailed, match="cannot go on with 300 tokens"):
        continuation(load(tiny_gguf, 256, warm_up=False), [5] * 300, 4)
