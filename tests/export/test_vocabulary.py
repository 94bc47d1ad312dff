"""The tokenizer inside the file: llama.cpp makes the tokens of it that Transformers makes of the base's."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import gguf
import pytest
from tokenizers import Tokenizer, pre_tokenizers

from idiolect import export
from idiolect.errors import BaseModelFault
from idiolect.export import vocabulary
from tests.export.conftest import split_steps
from tests.tiny import CHAT_TEMPLATE, ROWS, SPECIAL, write_model, write_tokenizer

STRINGS = [
    "",
    "   three spaces,  two, and trailing   ",
    "1234567890 12 3,141.59 v2.0-rc1",
    "I'm YOU'RE they'll DON'T 'tis rock'n'roll",
    "Blåbærsyltetøy på ØYA, naïve café E\u0301",
    "日本語 中文 العربية हिन्दी",
    "😀👩\u200d👧 🇳🇴 \u00a0\u200b",
    "line\nline\n\n\nline\r\n\ttab \n  x",
    "camelCase HTMLParser snake_case x+=1;//comment/\n",
    "<|im_start|>user\nHei <think>hm</think><|im_end|>\n<|endoftext|> <|other|>",
]


def word_steps() -> list[Any]:
    return [pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)]


STEPS: dict[str, Callable[[], list[Any]]] = {
    "gpt-2": word_steps,
    "smollm": lambda: [pre_tokenizers.Digits(individual_digits=True), *word_steps()],
    "llama-bpe": lambda: split_steps(vocabulary.LLAMA_3["pattern"]["Regex"]),
    "dbrx": lambda: split_steps(vocabulary.LLAMA_3["pattern"]["Regex"]),
    "gpt-4o": lambda: split_steps(vocabulary.GPT_4O["pattern"]["Regex"]),
    "qwen2": lambda: split_steps(vocabulary.QWEN_2["pattern"]["Regex"]),
    "tekken": lambda: split_steps(vocabulary.MISTRAL_NEMO["pattern"]["Regex"]),
}


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    return write_model(
        tmp_path / "tiny", "Llama", hidden_size=32, intermediate_size=32, num_hidden_layers=1, head_dim=8
    )


@pytest.mark.parametrize("pre_tokenizer", STEPS)
def test_llama_cpp_makes_the_same_tokens(
    tiny: Path, tmp_path: Path, serve: Callable[[Path], Any], pre_tokenizer: str
) -> None:
    from transformers import AutoTokenizer

    whole_words = bool(vocabulary.PRE_TOKENIZERS[pre_tokenizer].ignore_merges)
    write_tokenizer(tiny, STEPS[pre_tokenizer](), ignore_merges=whole_words)
    export.export_gguf(tiny, tmp_path / "m.gguf", "F16", name="tiny")
    assert field(tmp_path / "m.gguf", "tokenizer.ggml.pre") == pre_tokenizer
    tokenizer, ask = AutoTokenizer.from_pretrained(tiny), serve(tmp_path / "m.gguf")
    for text in STRINGS:
        theirs = ask("tokenize", {"content": text, "add_special": True, "parse_special": True})["tokens"]
        assert theirs == tokenizer(text)["input_ids"], text


def field(path: Path, key: str) -> Any:
    found = gguf.GGUFReader(path).get_field(key)
    return None if found is None else found.contents()


def test_tokens_kinds_and_padding(bases: Mapping[str, Path]) -> None:
    found = vocabulary.read(bases["qwen2"], ROWS)
    kinds = dict(zip(found.tokens, found.types, strict=True))
    assert len(kinds) == ROWS
    assert {kinds[text] for text in SPECIAL} == {vocabulary.CONTROL}
    assert kinds["<think>"] == vocabulary.USER_DEFINED
    assert kinds["<|fim|>"] == vocabulary.CONTROL  # by its form: Qwen does not call it special
    assert kinds["Ġ"] == vocabulary.NORMAL
    last = ROWS - 1
    assert found.tokens[last] == f"[PAD{last}]"
    assert kinds[f"[PAD{last}]"] == vocabulary.UNUSED
    known = Tokenizer.from_file(str(bases["qwen2"] / "tokenizer.json")).get_vocab_size()
    assert found.types.count(vocabulary.UNUSED) == ROWS - known


def test_special_ids_and_template_are_the_bases(bases: Mapping[str, Path], tmp_path: Path) -> None:
    export.export_gguf(bases["llama"], tmp_path / "m.gguf", "F16", name="Ann's voice")
    reader = gguf.GGUFReader(tmp_path / "m.gguf")
    found = {key: entry.contents() for key, entry in reader.fields.items() if "tokens" not in key}
    tokens = vocabulary.read(bases["llama"], ROWS).tokens
    assert found["general.name"] == "Ann's voice"
    assert found["tokenizer.chat_template"] == CHAT_TEMPLATE
    assert found["tokenizer.ggml.eos_token_id"] == tokens.index("<|im_end|>")
    assert found["tokenizer.ggml.padding_token_id"] == tokens.index("<|endoftext|>")
    # llama.cpp would begin every text with BOS for this pre-tokenizer; the base's tokenizer does not.
    assert found["tokenizer.ggml.add_bos_token"] is False


def test_the_template_of_training_wins(bases: Mapping[str, Path], tmp_path: Path, serve: Callable[[Path], Any]) -> None:
    template = "{% for message in messages %}[{{ message.role }}] {{ message.content }}\n{% endfor %}"
    export.export_gguf(bases["llama-96"], tmp_path / "m.gguf", "F16", name="tiny", chat_template=template)
    assert field(tmp_path / "m.gguf", "tokenizer.chat_template") == template
    messages = [{"role": "system", "content": "Be Ann."}, {"role": "user", "content": "Hei"}]
    prompt = serve(tmp_path / "m.gguf")("apply-template", {"messages": messages})["prompt"]
    assert prompt == "[system] Be Ann.\n[user] Hei\n"


def edited(tiny: Path, change: Callable[[dict[str, Any]], None]) -> Path:
    write_tokenizer(tiny, STEPS["qwen2"]())
    content = json.loads((tiny / "tokenizer.json").read_bytes())
    change(content)
    (tiny / "tokenizer.json").write_text(json.dumps(content))
    return tiny


def set_in(*path: Any) -> Callable[[dict[str, Any]], None]:
    *keys, last, value = path

    def change(content: Any) -> None:
        for key in keys:
            content = content[key]
        content[last] = value

    return change


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            set_in("pre_tokenizer", "pretokenizers", 0, "pattern", {"Regex": r"\w+"}),
            r"pre-tokenizer is not known",
        ),
        (set_in("pre_tokenizer", "pretokenizers", 1, "add_prefix_space", True), "pre-tokenizer is not known"),
        (set_in("pre_tokenizer", None), "pre-tokenizer is not known"),
        (set_in("model", "ignore_merges", True), "ignore_merges True"),
        (set_in("model", "byte_fallback", True), "its spaces are handled by"),
        (set_in("model", "type", "Unigram"), "SentencePiece tokenizer of the kind Unigram"),
        (set_in("normalizer", {"type": "Lowercase"}), "normalizer Lowercase"),
    ],
)
def test_a_tokenizer_that_llama_cpp_lacks_is_refused(
    tiny: Path, change: Callable[[dict[str, Any]], None], said: str
) -> None:
    with pytest.raises(BaseModelFault, match=said) as fault:
        export.check_exportable(edited(tiny, change))
    assert str(tiny) in fault.value.problem
    assert "llama-bpe" in fault.value.remedy


def test_nfc_and_offsets_do_not_matter(tiny: Path) -> None:
    def harmless(content: dict[str, Any]) -> None:
        content["normalizer"] = {"type": "NFC"}
        content["pre_tokenizer"]["pretokenizers"][1]["trim_offsets"] = True

    export.check_exportable(edited(tiny, harmless))


def test_a_sentencepiece_model_is_refused_by_name(tiny: Path) -> None:
    (tiny / "tokenizer.model").write_bytes(b"")
    with pytest.raises(BaseModelFault, match=r"SentencePiece tokenizer \(tokenizer.model"):
        export.check_exportable(tiny)


def test_tokens_beyond_the_embedding_are_refused(tiny: Path) -> None:
    def add(content: dict[str, Any]) -> None:
        content["added_tokens"].append({"id": ROWS, "content": "<|extra|>", "special": True})

    with pytest.raises(BaseModelFault, match=r"448 rows: <\|extra\|>"):
        export.check_exportable(edited(tiny, add))
