"""Rendered samples → the data set's lines, with the split and each memory's final fate."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import msgspec
from tokenizers import Tokenizer

from idiolect.curation import Fate
from idiolect.dataset.schema import RenderedSample
from idiolect.dataset.split import held_out
from idiolect.dataset.training_text import TrainingText


def token_counts(samples: Sequence[RenderedSample], tokenizer_json: Path) -> dict[str, int]:
    """Return how many tokens each sample has, by id."""
    tokenizer = Tokenizer.from_file(str(tokenizer_json))
    encodings = tokenizer.encode_batch([s.text for s in samples], add_special_tokens=False)
    return {s.id: len(e.ids) for s, e in zip(samples, encodings, strict=True)}


def export(
    samples: Sequence[RenderedSample], tokens: Mapping[str, int], max_tokens: int, seed: int
) -> list[TrainingText]:
    """Leave out what is longer than the model may see, and split the rest; order is kept."""
    fitting = [s for s in samples if tokens[s.id] <= max_tokens]
    aside = held_out(fitting, seed)
    return [
        TrainingText(
            id=s.id,
            split="held_out" if s.id in aside else "train",
            mode=s.mode,
            text=s.text,
            learned=s.learned,
        )
        for s in fitting
    ]


def ledger(fates: Sequence[Fate], lines: Sequence[TrainingText], cut: Collection[str] = ()) -> list[Fate]:
    """Return each memory's final fate: trained on, held out, or dropped by which rule; which samples were cut."""
    splits = {line.id: line.split for line in lines}
    return [fate if fate.fate == "dropped" else _final(fate, splits, cut) for fate in fates]


def _final(fate: Fate, splits: Mapping[str, str], cut: Collection[str]) -> Fate:
    if fate.sample in splits:
        details = [fate.detail, "cut to max_seq_length" if fate.sample in cut else ""]
        return msgspec.structs.replace(fate, fate=splits[fate.sample], detail="; ".join(filter(None, details)))
    return Fate(memory=fate.memory, fate="dropped", rule="longer than max_seq_length")
