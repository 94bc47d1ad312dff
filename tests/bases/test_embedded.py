"""The embedded model: text becomes the tokens, and tokens the expectations, that llama.cpp has."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from idiolect import bases

STRINGS = [
    "",
    " ",
    "  ",
    "   three spaces before",
    "trailing   ",
    "\n",
    "\n\n\n",
    "line\n\nline\r\nline\rline",
    "\ttab\t\ttabs \t mixed",
    "1",
    "1234567890",
    "3.14159, 1,000,000 and 10^-6",
    "v2.0.1-rc3 (2026-11-22T17:51:00Z)",
    "٣٤٥ ½ Ⅷ ²",
    "I'm you're we've they'll he'd it's DON'T",
    "Blåbærsyltetøy på brødskiva, æ ø å Æ Ø Å",
    "Ætt og særeigne ordformer: «sjølv om» – ikkje sant?",
    "e\u0301 versus é",
    "naïve façade Straße ŁÓDŹ",
    "日本語のテキスト、中文文本，한국어",
    "العربية עברית हिन्दी ไทย",
    "😀 👨\u200d👩\u200d👧\u200d👦 🇳🇴 🏳️\u200d🌈 ❤️",
    "\u200b\u00a0\u2003zero width and wide spaces",
    "def f(x: int) -> int:\n    return x ** 2  # square\n",
    "if (a!=b&&c||d){x[i]+=~y;}//!?",
    '{"key": [1, 2.5, null], "other": "va\\"lue"}',
    "<div class='x'>&nbsp;</div>",
    "https://example.org/path?q=1&r=%20#top",
    "a" * 60,
    "!?" * 30,
    "<|im_start|>user\nHello<|im_end|>\n<|im_start|>assistant\n",
    "text<|endoftext|>text",
    "<|im_start|><|im_start|> <|im_end|> <|im_end|>x",
    "<|im_start <|im_end| <|nothing|>",
    "<repo_name>name<file_sep>file <jupyter_code>x = 1<empty_output>",
    "the quick brown fox jumps over the lazy dog. " * 4,
]


@pytest.fixture(scope="module")
def tokenizer(embedded_model: bases.BaseModel) -> Any:
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(embedded_model.folder)


@pytest.fixture(scope="module")
def model(embedded_model: bases.BaseModel) -> Any:
    import torch
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(embedded_model.folder, dtype=torch.float32).eval()


def test_the_same_text_becomes_the_same_tokens(tokenizer: Any, llama_cpp: Callable[..., Any]) -> None:
    ours = {text: tokenizer(text, add_special_tokens=True)["input_ids"] for text in STRINGS}
    theirs = {
        text: llama_cpp("tokenize", {"content": text, "add_special": True, "parse_special": True})["tokens"]
        for text in STRINGS
    }
    assert ours == theirs


def test_tokens_become_the_text_again(tokenizer: Any) -> None:
    for text in STRINGS:
        assert tokenizer.decode(tokenizer(text)["input_ids"]) == text


def test_the_chat_template_is_llama_cpps(tokenizer: Any, llama_cpp: Callable[..., Any]) -> None:
    messages = [
        {"role": "user", "content": "Hei!"},
        {"role": "assistant", "content": "Hå"},
        {"role": "user", "content": "?"},
    ]
    ours = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
    assert ours == llama_cpp("apply-template", {"messages": messages})["prompt"]
    assert ours.endswith("<|im_end|>\n<|im_start|>assistant\n")


def test_the_model_expects_the_same_words_as_llama_cpp(
    model: Any, tokenizer: Any, llama_cpp: Callable[..., Any]
) -> None:
    # Not to the last digit: llama.cpp rounds activations to 8 bits beside 4-bit weights. With queries and
    # keys in the wrong order the difference is several units.
    prompt = tokenizer("The quick brown fox jumps over the lazy", return_tensors="pt")
    ours = model(**prompt).logits[0, -1].log_softmax(-1)
    asked = {"prompt": prompt["input_ids"][0].tolist(), "n_predict": 1, "temperature": 0, "n_probs": 5}
    expected = llama_cpp("completion", asked)["completion_probabilities"][0]["top_logprobs"]
    for candidate in expected:
        assert ours[candidate["id"]].item() == pytest.approx(candidate["logprob"], abs=0.5)


def test_everything_is_loaded_and_nothing_is_left_over(embedded_model: bases.BaseModel) -> None:
    from transformers import AutoModelForCausalLM

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        _, info = AutoModelForCausalLM.from_pretrained(embedded_model.folder, output_loading_info=True)
    assert not any(info.values())


def test_it_is_unpacked_once(embedded_model: bases.BaseModel) -> None:
    weights = embedded_model.folder / "model.safetensors"
    before = weights.stat().st_mtime_ns
    assert bases.resolve("embedded", embedded_model.folder.parent) == embedded_model
    assert weights.stat().st_mtime_ns == before


def test_an_interrupted_unpacking_leaves_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from idiolect.bases import unpack

    def interrupted(_: Path, target: Path) -> None:
        target.mkdir()
        (target / "config.json").write_text("{}")
        raise KeyboardInterrupt

    monkeypatch.setattr(unpack, "unpack", interrupted)
    with pytest.raises(KeyboardInterrupt):
        bases.resolve("embedded", tmp_path)
    assert list(tmp_path.iterdir()) == []
