"""The tokenizer inside a GGUF: which of llama.cpp's it is, and its tokens with their kinds.

Read from a tokenizer.json: byte-level BPE, or SentencePiece's (see `pieces`). Of the former llama.cpp knows
pre-tokenizers by name; the name is found from what tokenizer.json itself says about how it splits text, whatever
the vocabulary.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from idiolect.errors import BaseModelFault
from idiolect.export import pieces
from idiolect.export.configuration import json_object

NORMAL, UNKNOWN, CONTROL, USER_DEFINED, UNUSED, BYTE = 1, 2, 3, 4, 5, 6  # llama.cpp's token types

WORDS = {"type": "ByteLevel", "add_prefix_space": False, "use_regex": True}  # splits as GPT-2 does
BYTES = {"type": "ByteLevel", "add_prefix_space": False, "use_regex": False}
DIGITS = {"type": "Digits", "individual_digits": True}


def _split(regex: str) -> dict[str, Any]:
    return {"type": "Split", "pattern": {"Regex": regex}, "behavior": "Isolated", "invert": False}


LLAMA_3 = _split(
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
QWEN_2 = _split(
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
MISTRAL_NEMO = _split(
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+"
    r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*"
    r"|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
GPT_4O = _split(
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
    r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
    r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)


@dataclass(frozen=True)
class PreTokenizer:
    """One of llama.cpp's: the steps it stands for, and whether a word in the vocabulary is taken unmerged."""

    steps: list[dict[str, Any]]
    ignore_merges: bool | None = False
    """None: it comes to the same, for merging makes every word of the vocabulary."""


PRE_TOKENIZERS: Mapping[str, PreTokenizer] = {
    "gpt-2": PreTokenizer([WORDS]),
    "smollm": PreTokenizer([DIGITS, WORDS]),
    "llama-bpe": PreTokenizer([LLAMA_3, BYTES], ignore_merges=True),
    "qwen2": PreTokenizer([QWEN_2, BYTES]),
    "dbrx": PreTokenizer([LLAMA_3, BYTES]),  # Phi-4's
    "gpt-4o": PreTokenizer([GPT_4O, BYTES], ignore_merges=None),  # Phi-4-mini's, gpt-oss'
    "tekken": PreTokenizer([MISTRAL_NEMO, BYTES], ignore_merges=True),
}


@dataclass(frozen=True)
class Vocabulary:
    """Tokens by id, as many as the embedding has rows. Scores and a space prefix are SentencePiece's alone."""

    folder: Path
    model: str  # what llama.cpp calls the algorithm: gpt2, or llama for SentencePiece's
    pre_tokenizer: str
    tokens: list[str]
    types: list[int]
    merges: int
    scores: list[float] | None = None
    space_prefix: bool | None = None


def read(base: Path, rows: int, foreign: Set[str] = frozenset()) -> Vocabulary:
    """Read `base`/tokenizer.json for a model whose embedding has `rows` rows.

    Rows beyond the vocabulary become tokens [PADn] of type UNUSED, as llama.cpp wants one token a row; tokens in
    `foreign` may be beyond the rows, and are left out. Raises BaseModelFault for a tokenizer that llama.cpp would
    not split text with in the same way.
    """
    tokenizer = _tokenizer(base)
    kinds = [kind for kind in _kinds(tokenizer) if kind[0] < rows or kind[1] not in foreign]
    beyond = sorted({text for id_, text, _ in kinds if id_ >= rows})
    if beyond:
        raise BaseModelFault(
            f"{base / 'tokenizer.json'} has tokens beyond the embedding's {rows} rows: {', '.join(beyond)}.",
            "Fetch the base model again: its tokenizer and weights do not belong together.",
        )
    tokens, types = [f"[PAD{row}]" for row in range(rows)], [UNUSED] * rows
    for id_, text, kind in kinds:
        tokens[id_], types[id_] = text, kind
    merges = len(tokenizer["model"]["merges"])
    if not pieces.are_in(tokenizer):
        return Vocabulary(base, "gpt2", _pre_tokenizer(tokenizer, base), tokens, types, merges)
    known = pieces.scores(tokenizer)
    scores = [known.get(token, pieces.ADDED_SCORE) for token in tokens]
    # llama.cpp looks for added tokens in text whose spaces are still spaces.
    written = [
        text.replace(pieces.SPACE, " ") if kind == USER_DEFINED else text
        for text, kind in zip(tokens, types, strict=True)
    ]
    return Vocabulary(base, "llama", "default", written, types, 0, scores, pieces.space_prefix(tokenizer))


def _kinds(tokenizer: Mapping[str, Any]) -> list[tuple[int, str, int]]:
    """Return ids and texts of all tokens with their types; where an added token says otherwise, it comes later."""
    model = tokenizer["model"]
    special = dict.fromkeys(pieces.BYTES, BYTE) | {model.get("unk_token"): UNKNOWN}
    usual = special if pieces.are_in(tokenizer) else {}
    kinds = [(id_, text, usual.get(text, NORMAL)) for text, id_ in model["vocab"].items()]
    added = tokenizer.get("added_tokens") or []
    return kinds + [(token["id"], token["content"], _added_type(token)) for token in added]


def _added_type(token: Mapping[str, Any]) -> int:
    """Tell markers from added words: llama.cpp takes <|...|> for a marker even if it is not `special`."""
    content = token["content"]
    marker = content.startswith(("<|", "<｜")) and content.endswith(("|>", "｜>"))
    return CONTROL if token.get("special") or marker else USER_DEFINED


def _tokenizer(base: Path) -> dict[str, Any]:
    path = base / "tokenizer.json"
    if not path.is_file() and (base / "tokenizer.model").is_file():
        raise _refused(base, "it is a SentencePiece tokenizer (tokenizer.model, no tokenizer.json)")
    tokenizer = json_object(path)
    model = tokenizer.get("model", {})
    if model.get("type") != "BPE":
        raise _refused(base, f"it is a SentencePiece tokenizer of the kind {model.get('type')}, not BPE")
    if pieces.are_in(tokenizer):
        wrong = pieces.fault(tokenizer)
        if wrong:
            raise _refused(base, wrong)
        return tokenizer
    # llama.cpp does not normalize. NFC (Qwen) leaves text as people type it alone; anything else changes it.
    normalizer = tokenizer.get("normalizer") or {"type": "NFC"}
    odd = [key for key in ("continuing_subword_prefix", "end_of_word_suffix", "dropout") if model.get(key)]
    if normalizer["type"] != "NFC":
        odd.append(f"normalizer {normalizer['type']}")
    if odd:
        raise _refused(base, f"it has {', '.join(odd)}")
    return tokenizer


def _pre_tokenizer(tokenizer: Mapping[str, Any], base: Path) -> str:
    """Return llama.cpp's name for how a tokenizer splits text before merging."""
    described = tokenizer.get("pre_tokenizer") or {}
    steps = [_plain(step) for step in described.get("pretokenizers", [described])]
    ignore_merges = bool(tokenizer["model"].get("ignore_merges"))
    for name, known in PRE_TOKENIZERS.items():
        if steps == known.steps and known.ignore_merges in {ignore_merges, None}:
            return name
    raise _refused(base, f"its pre-tokenizer is not known here: {steps}, ignore_merges {ignore_merges}")


def _plain(step: Mapping[str, Any]) -> dict[str, Any]:
    """Drop what does not change tokens, and say what older files leave out."""
    defaults = {"use_regex": True} if step.get("type") == "ByteLevel" else {}
    return {**defaults, **{key: value for key, value in step.items() if key != "trim_offsets"}}


def _refused(base: Path, why: str) -> BaseModelFault:
    return BaseModelFault(
        f"The tokenizer in {base} cannot be exported: {why}.",
        "Choose a base model with SentencePiece's BPE, or byte-level BPE that llama.cpp calls one of "
        f"{', '.join(PRE_TOKENIZERS)}.",
    )
