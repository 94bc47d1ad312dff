"""Training texts as tokens, and which of them are targets: what a server asks with never is.

Where a reply begins is counted in the tokens of the text that a server asks with, not in characters: a SentencePiece
model's first word of a reply is one token with the blank before it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tokenizers import Tokenizer

from idiolect.dataset.training_text import TrainingText


@dataclass(frozen=True)
class TokenizedSample:
    """A text as tokens; `learned[i]` says whether token i is a target: one that the model must learn to say."""

    id: str
    tokens: tuple[int, ...]
    learned: tuple[bool, ...]

    @property
    def learned_tokens(self) -> int:
        return sum(self.learned[1:])


Spans = Sequence[tuple[int, int]]
#: What is cut into tokens: a text, and the [start, end) of what the model must produce of it.
Marked = tuple[str, Spans]


def tokenize(texts: Sequence[TrainingText], tokenizer_json: Path) -> list[TokenizedSample]:
    """Turn texts into tokens with their label masks."""
    tokenizer = open_tokenizer(tokenizer_json)
    cut = cut_all(tokenizer, [(t.text, t.learned) for t in texts])
    return [TokenizedSample(t.id, c.tokens, c.mask) for t, c in zip(texts, cut, strict=True)]


def tokenize_marked(texts: Sequence[Marked], tokenizer_json: Path) -> list[Cut]:
    """Turn texts with marked replies into tokens, as `tokenize` does."""
    return cut_all(open_tokenizer(tokenizer_json), texts)


def open_tokenizer(tokenizer_json: Path) -> Tokenizer:
    """Open a tokenizer that cuts whole texts and adds nothing: some are saved with limits of somebody's training."""
    tokenizer = Tokenizer.from_file(str(tokenizer_json))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


@dataclass(frozen=True)
class Cut:
    """A text in tokens, with its label mask; `chains`: each prompt's own tokens stand there as they are asked."""

    tokens: tuple[int, ...]
    mask: tuple[bool, ...]
    chains: bool
    ends: tuple[int, ...]
    """How many tokens there are up to the end of each reply."""


def cut_all(tokenizer: Tokenizer, texts: Sequence[Marked]) -> list[Cut]:
    """Cut texts into tokens; all are given to the tokenizer at once, which uses every core."""
    # Most texts end with a reply: that prefix is the text, and need not be cut twice.
    borders = [[at for span in spans for at in span if at < len(text)] for text, spans in texts]
    parts = [part for (text, _), ends in zip(texts, borders, strict=True) for part in (text, *(text[:e] for e in ends))]
    ids, cuts = iter(_encoded(tokenizer, parts)), []
    for (text, spans), ends in zip(texts, borders, strict=True):
        whole = next(ids)
        prefixes = [next(ids) for _ in ends]
        missing = 2 * len(spans) - len(prefixes)
        cuts.append(_cut(tokenizer, (text, spans), whole, [*prefixes, *[whole] * missing]))
    return cuts


def _encoded(tokenizer: Tokenizer, texts: Sequence[str]) -> list[list[int]]:
    return [e.ids for e in tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)]


def _cut(tokenizer: Tokenizer, marked: Marked, whole: list[int], borders: list[list[int]]) -> Cut:
    """Return the tokens of a text whose prefixes, at each border of a reply, are cut as `borders` says."""
    text, spans = marked
    if all(whole[: len(border)] == border for border in borders):
        counts = [len(border) for border in borders]
        starts, ends = counts[::2], counts[1::2]
        mask = [False] * len(whole)
        for start, end in zip(starts, ends, strict=True):
            mask[start:end] = [True] * (end - start)
        return Cut(tuple(whole), tuple(mask), chains=True, ends=tuple(ends))
    # A token would reach over a border. A server cuts the prompt alone, and the model goes on from there: so is it
    # trained. With one reply in a text that is exact; with several the later prompts would be cut otherwise.
    tokens: list[int] = borders[0][:]
    mask = [False] * len(tokens)
    ends = []
    for (start, end), following in zip(spans, [*(s for s, _ in spans[1:]), len(text)], strict=True):
        reply, rest = _encoded(tokenizer, [text[start:end], text[end:following]])
        tokens += reply + rest
        mask += [True] * len(reply) + [False] * len(rest)
        ends.append(len(tokens) - len(rest))
    return Cut(tuple(tokens), tuple(mask), chains=len(spans) == 1, ends=tuple(ends))
