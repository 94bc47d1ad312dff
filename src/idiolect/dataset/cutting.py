"""What is longer than the model may see is cut: after a whole turn, or else within the first reply.

What ends a reply stays at its end, so that nobody learns to break off.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
from tokenizers import Encoding, Tokenizer

from idiolect.dataset.schema import RenderedSample


def cut_to_fit(
    samples: Sequence[RenderedSample], tokens: Mapping[str, int], tokenizer_json: Path, turn_end: str, max_tokens: int
) -> list[RenderedSample]:
    """Return the samples in their order, those cut that have more than `max_tokens`.

    `turn_end` is the control token that ends a reply. Left out is a sample of which not even a word would be left.
    """
    if all(tokens[s.id] <= max_tokens for s in samples):
        return list(samples)
    tokenizer = Tokenizer.from_file(str(tokenizer_json))
    cut = (s if tokens[s.id] <= max_tokens else _cut(s, tokenizer, turn_end, max_tokens) for s in samples)
    return [s for s in cut if s]


def _cut(sample: RenderedSample, tokenizer: Tokenizer, turn_end: str, max_tokens: int) -> RenderedSample | None:
    encoding = _encode(tokenizer, sample.text)
    for turns in range(len(sample.learned) - 1, 0, -1):
        end = sample.learned[turns - 1][1]
        if sum(stop <= end for _, stop in encoding.offsets) <= max_tokens:
            return msgspec.structs.replace(sample, text=sample.text[:end], learned=sample.learned[:turns])
    return _within_first_reply(sample, tokenizer, turn_end, max_tokens)


def _within_first_reply(
    sample: RenderedSample, tokenizer: Tokenizer, turn_end: str, max_tokens: int
) -> RenderedSample | None:
    start, end = sample.learned[0]
    closing = sample.text[sample.text.rindex(turn_end, start, end) : end]
    offsets = _encode(tokenizer, sample.text).offsets
    stop = offsets[max_tokens - 1][1]
    while stop > start:
        # Not within a word; where there are none, at a character.
        words = sample.text[start:stop].rpartition(" ")[0].rstrip()
        kept = sample.text[:start] + (words or sample.text[start:stop]) + closing
        if len(_encode(tokenizer, kept).ids) <= max_tokens:
            return msgspec.structs.replace(sample, text=kept, learned=((start, len(kept)),))
        stop = start + len(words) if words else stop - 1
    return None


def _encode(tokenizer: Tokenizer, text: str) -> Encoding:
    return tokenizer.encode(text, add_special_tokens=False)
