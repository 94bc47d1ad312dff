"""SentencePiece's kind of tokenizer: llama.cpp makes the tokens of it that Transformers makes of tokenizer.json."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gguf
import pytest

from idiolect import export
from idiolect.errors import BaseModelFault
from idiolect.export import pieces, vocabulary
from tests.export.test_vocabulary import STRINGS
from tests.tiny import SENTENCES, write_model

ROWS = 760
MARKS = ["<pad>", "<eos>", "<bos>", "<unk>"]
TEXTS = [text.replace("|im_start|", "start_of_turn") for text in STRINGS if text] + [
    *SENTENCES,
    "<start_of_turn>user\nHei <start_of_turn> Ann",
    "<h1>Title</h1> and " + " " * 8 + "far \n\n\n away",
]
GEMMA = {"normalizer": pieces.REPLACED, "pre_tokenizer": pieces.IDLE_SPLIT}
PHI = {"normalizer": {"type": "Sequence", "normalizers": [pieces.PREPENDED, pieces.REPLACED]}, "pre_tokenizer": None}
NEVER = {"normalizer": None, "pre_tokenizer": pieces.METASPACE}
FIRST = {"normalizer": None, "pre_tokenizer": pieces.METASPACE | {"prepend_scheme": "first"}}


def learned() -> Iterator[str]:
    """Yield tokens in the order in which BPE joins them."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers

    learner = Tokenizer(models.BPE())
    learner.normalizer = normalizers.Replace(" ", pieces.SPACE)
    learner.pre_tokenizer = pre_tokenizers.Split(pieces.SPACE, "merged_with_next")
    trainer = trainers.BpeTrainer(vocab_size=360, show_progress=False)
    learner.train_from_iterator(SENTENCES * 8, trainer)
    ids = learner.get_vocab()
    yield from sorted(ids, key=lambda token: ids[token])


def write_pieces(folder: Path, spaces: dict[str, Any]) -> Path:
    """Write a tokenizer.json as Transformers converts a SentencePiece model: each token with all pairs that make it."""
    runs = [pieces.SPACE * count for count in range(2, 10)] if spaces == GEMMA else []
    tokens = [*MARKS, *pieces.BYTES, *runs, *(token for token in learned() if token not in runs)]
    vocab = {token: id_ for id_, token in enumerate(tokens)}
    merges = []
    for token in tokens[len(MARKS) + 256 :]:
        splits = [(token[:i], token[i:]) for i in range(1, len(token))]
        found = [pair for pair in splits if set(pair) <= vocab.keys()]
        merges += sorted(found, key=lambda pair: (len(pair[0]), len(pair[1])))
    added = [*MARKS, "<start_of_turn>", "<end_of_turn>", "<h1>", "</h1>", "\n\n", *runs]
    ids = vocab | {token: len(tokens) + i for i, token in enumerate(t for t in added if t not in vocab)}
    plain = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False}
    special = [*MARKS, "<start_of_turn>", "<end_of_turn>"]
    begin = [{"SpecialToken": {"id": "<bos>", "type_id": 0}}]
    one, two = ({"Sequence": {"id": name, "type_id": kind}} for name, kind in (("A", 0), ("B", 1)))
    content = spaces | {
        "version": "1.0",
        "added_tokens": [{"id": ids[t], "content": t, "special": t in special} | plain for t in added],
        "model": {"type": "BPE", "vocab": vocab, "merges": merges, "byte_fallback": True, "fuse_unk": True}
        | {"unk_token": "<unk>"},
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [*begin, one],
            "pair": [*begin, one, *begin, two],
            "special_tokens": {"<bos>": {"id": "<bos>", "ids": [ids["<bos>"]], "tokens": ["<bos>"]}},
        },
        "decoder": None,
        "truncation": None,
        "padding": None,
    }
    (folder / "tokenizer.json").write_text(json.dumps(content))
    marks = {"bos_token": "<bos>", "eos_token": "<eos>", "pad_token": "<pad>", "unk_token": "<unk>"}
    (folder / "tokenizer_config.json").write_text(json.dumps(marks | {"tokenizer_class": "PreTrainedTokenizerFast"}))
    return folder


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    small: dict[str, Any] = {"hidden_size": 32, "intermediate_size": 32, "num_hidden_layers": 1, "head_dim": 8}
    return write_model(tmp_path / "tiny", "Llama", vocab_size=ROWS, **small)


@pytest.mark.parametrize("spaces", [GEMMA, PHI, NEVER], ids=["gemma", "phi-3", "never"])
def test_llama_cpp_makes_the_same_tokens(
    tiny: Path, tmp_path: Path, serve: Callable[[Path], Any], spaces: dict[str, Any]
) -> None:
    from transformers import AutoTokenizer

    write_pieces(tiny, spaces)
    export.export_gguf(tiny, tmp_path / "m.gguf", "F16", name="tiny")
    tokenizer, ask = AutoTokenizer.from_pretrained(tiny), serve(tmp_path / "m.gguf")
    joined = 0
    for text in TEXTS:
        theirs = ask("tokenize", {"content": text, "add_special": True, "parse_special": True})["tokens"]
        assert theirs == tokenizer(text)["input_ids"], text
        joined += sum(len(token) > 2 for token in tokenizer.convert_ids_to_tokens(theirs) if token[0] != "<")
    assert joined > 50  # it is not all bytes


def test_kinds_and_scores(tiny: Path, tmp_path: Path) -> None:
    write_pieces(tiny, GEMMA)
    export.export_gguf(tiny, tmp_path / "m.gguf", "F16", name="tiny")
    reader = gguf.GGUFReader(tmp_path / "m.gguf")
    found = {key: field.contents() for key, field in reader.fields.items() if key.startswith("tokenizer.")}
    tokens = found["tokenizer.ggml.tokens"]
    kinds = dict(zip(tokens, found["tokenizer.ggml.token_type"], strict=True))
    assert kinds["<0x0A>"] == vocabulary.BYTE
    assert kinds["<start_of_turn>"] == vocabulary.CONTROL
    assert kinds["<h1>"] == kinds["  "] == vocabulary.USER_DEFINED
    assert kinds[f"[PAD{ROWS - 1}]"] == vocabulary.UNUSED
    assert found["tokenizer.ggml.model"] == "llama"
    assert found["tokenizer.ggml.add_bos_token"] is True
    assert found["tokenizer.ggml.add_space_prefix"] is False
    assert "tokenizer.ggml.merges" not in found
    scores = dict(zip(tokens, found["tokenizer.ggml.scores"], strict=True))
    joined = [token for token in learned() if len(token) > 1 and set(token) != {pieces.SPACE}]
    assert [scores[token] for token in joined] == sorted((scores[token] for token in joined), reverse=True)
    assert len({scores[token] for token in joined}) == len(joined)


def without_a_merge(content: dict[str, Any]) -> None:
    del content["model"]["merges"][-1]


def without_a_byte(content: dict[str, Any]) -> None:
    del content["model"]["vocab"]["<0x0A>"]


def in_another_order(content: dict[str, Any]) -> None:
    merges = content["model"]["merges"]
    runs = Counter("".join(pair) for pair in merges[40:])
    token = next(token for token, count in runs.items() if count > 1)
    merges.append(merges.pop(next(i for i, pair in enumerate(merges) if "".join(pair) == token)))


def with_spaces_last(content: dict[str, Any]) -> None:
    merges = content["model"]["merges"]
    merges.append(merges.pop(0))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (without_a_merge, "its merges do not have every pair"),
        (without_a_byte, "no token for some bytes"),
        (in_another_order, "do not stand together"),
        (with_spaces_last, "are not the first to be made"),
        (lambda content: content.update(FIRST), "its spaces are handled by"),
    ],
)
def test_what_llama_cpp_would_split_in_another_way_is_refused(
    tiny: Path, change: Callable[[dict[str, Any]], None], said: str
) -> None:
    content = json.loads((write_pieces(tiny, GEMMA) / "tokenizer.json").read_bytes())
    change(content)
    (tiny / "tokenizer.json").write_text(json.dumps(content))
    with pytest.raises(BaseModelFault, match=said):
        export.check_exportable(tiny)


def test_a_token_of_the_image_model_may_be_beyond_the_rows(tiny: Path) -> None:
    write_pieces(tiny, GEMMA)
    content = json.loads((tiny / "tokenizer.json").read_bytes())
    content["added_tokens"].append({"id": ROWS, "content": "<image_soft_token>", "special": True})
    (tiny / "tokenizer.json").write_text(json.dumps(content))
    assert len(vocabulary.read(tiny, ROWS, frozenset({"<image_soft_token>"})).tokens) == ROWS
    with pytest.raises(BaseModelFault, match="<image_soft_token>"):
        vocabulary.read(tiny, ROWS)
