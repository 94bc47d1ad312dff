"""SentencePiece's kind of BPE in a tokenizer.json: over characters, spaces written ▁, a token for each byte.

llama.cpp joins any two neighbours whose text is a token, the best score first. A tokenizer.json has a list of
pairs instead. Where that was made from a SentencePiece model, each token's pairs stand together, in the order of
the scores, and none is missing: then the place in the list serves as the score.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from itertools import groupby
from typing import Any

SPACE = "\u2581"
BYTES = [f"<0x{byte:02X}>" for byte in range(256)]
ADDED_SCORE = -1000.0  # what llama.cpp's converter gives to added tokens; they are found before any joining

REPLACED = {"type": "Replace", "pattern": {"String": " "}, "content": SPACE}
PREPENDED = {"type": "Prepend", "prepend": SPACE}
# No text has spaces left when these come to see it, or they do as the normalizers do.
IDLE_SPLIT = {"type": "Split", "pattern": {"String": " "}, "behavior": "MergedWithPrevious", "invert": False}
# The other schemes of this put no space where there is one, or only before the first stretch: llama.cpp always.
METASPACE = {"type": "Metaspace", "replacement": SPACE, "split": False, "prepend_scheme": "never"}

# Normalizer and pre-tokenizer → whether llama.cpp shall put a space before each stretch of text.
SPACE_PREFIXES: list[tuple[Any, Any, bool]] = [
    (REPLACED, None, False),
    (REPLACED, IDLE_SPLIT, False),
    ({"type": "Sequence", "normalizers": [PREPENDED, REPLACED]}, None, True),
    (None, METASPACE, False),
]


def are_in(tokenizer: Mapping[str, Any]) -> bool:
    return tokenizer["model"].get("type") == "BPE" and bool(tokenizer["model"].get("byte_fallback"))


def space_prefix(tokenizer: Mapping[str, Any]) -> bool | None:
    """Return whether a stretch of text begins with a space of its own; None if llama.cpp cannot do the same."""
    found = (tokenizer.get("normalizer"), tokenizer.get("pre_tokenizer"))
    return next((prefix for *known, prefix in SPACE_PREFIXES if tuple(known) == found), None)


def fault(tokenizer: Mapping[str, Any]) -> str | None:
    """Say why llama.cpp would not split text in the same way, if it would not."""
    model = tokenizer["model"]
    if space_prefix(tokenizer) is None:
        return f"its spaces are handled by {tokenizer.get('normalizer')} and {tokenizer.get('pre_tokenizer')}"
    if model.get("ignore_merges") or model.get("dropout"):
        return "it has ignore_merges or dropout"
    absent = [byte for byte in range(256) if BYTES[byte] not in model["vocab"]]
    if any(byte > 127 or chr(byte) not in model["vocab"] for byte in absent):  # Gemma has a tab for <0x09>
        return "it has no token for some bytes"
    added = {token["content"] for token in tokenizer.get("added_tokens") or []}
    return _added_fault(model, added, may_have_spaces=not space_prefix(tokenizer)) or _merges_fault(model, added)


def scores(tokenizer: Mapping[str, Any]) -> dict[str, float]:
    """Return the scores of the tokens that are made by joining, the first to be joined highest."""
    made = dict.fromkeys(left + right for left, right in _pairs(tokenizer["model"]))
    return {token: -float(place) for place, token in enumerate(made)}


def _pairs(model: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the pairs, which older files write as one string."""
    return [tuple(pair.split(" ") if isinstance(pair, str) else pair) for pair in model["merges"]]


def _added_fault(model: Mapping[str, Any], added: Set[str], *, may_have_spaces: bool) -> str | None:
    """Hold added tokens against what llama.cpp does: it finds them in the text, before any joining.

    So does a tokenizer.json, but for those of spaces (Gemma's), which it finds by joining: that comes to the same if
    they are joined before any other. Where in the list the others stand (Gemma 3 has its two tabs later) is the same.
    """
    made_in_order = [token for token, _ in groupby(_pairs(model), key="".join)]
    order = [token in added for token in made_in_order if SPACE in token or token not in added]
    if order != sorted(order, reverse=True):
        return "added tokens are not the first to be made by its merges"
    made = {left + right for left, right in _pairs(model)}
    odd = sorted(token for token in added if SPACE in token and not (may_have_spaces and token in made))
    return f"text with spaces would not become the added tokens {odd}" if odd else None


def _merges_fault(model: Mapping[str, Any], added: set[str]) -> str | None:
    """Hold the list of pairs against what llama.cpp would do without it."""
    vocabulary = model["vocab"].keys()
    runs = [(token, list(run)) for token, run in groupby(_pairs(model), key="".join) if token not in added]
    if len({token for token, _ in runs}) != len(runs):
        return "the pairs that make a token do not stand together in its merges"
    listed = {token: set(run) for token, run in runs}
    for token in vocabulary - added - set(BYTES):
        splits = {(token[:i], token[i:]) for i in range(1, len(token))}
        needed = {split for split in splits if vocabulary >= set(split) and added.isdisjoint(split)}
        if not needed <= listed.get(token, set()):
            return f"its merges do not have every pair that makes {token!r}"
    return None
