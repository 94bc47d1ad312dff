"""Training texts as tokens, and which of them the model must learn to say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tokenizers import Encoding, Tokenizer

from idiolect.dataset import TrainingText


@dataclass(frozen=True)
class TokenizedSample:
    """A text as tokens; `learned[i]` says whether token i is one that the model must learn to say."""

    id: str
    tokens: tuple[int, ...]
    learned: tuple[bool, ...]

    @property
    def learned_tokens(self) -> int:
        return sum(self.learned[1:])


def tokenize(texts: Sequence[TrainingText], tokenizer_json: Path) -> list[TokenizedSample]:
    """Turn texts into tokens; a token is learned if all of its characters are."""
    tokenizer = Tokenizer.from_file(str(tokenizer_json))
    encodings = tokenizer.encode_batch([t.text for t in texts], add_special_tokens=False)
    return [_tokenized(text, encoding) for text, encoding in zip(texts, encodings, strict=True)]


def _tokenized(text: TrainingText, encoding: Encoding) -> TokenizedSample:
    learned = tuple(any(start <= a and b <= end for start, end in text.learned) and a < b for a, b in encoding.offsets)
    return TokenizedSample(text.id, tuple(encoding.ids), learned)
