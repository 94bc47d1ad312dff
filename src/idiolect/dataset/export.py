"""Rendered samples → the data set's lines, with the split and each memory's final fate."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import msgspec

from idiolect.curation import Fate
from idiolect.dataset.schema import CUT, RenderedSample
from idiolect.dataset.split import held_out
from idiolect.dataset.tokens import open_tokenizer
from idiolect.dataset.training_text import Split, TrainingText


def token_counts(samples: Sequence[RenderedSample], tokenizer_json: Path) -> dict[str, int]:
    """Return how many tokens each text has, by id."""
    samples = [s for s in samples if not s.dropped]
    tokenizer = open_tokenizer(tokenizer_json)
    encodings = tokenizer.encode_batch([s.text for s in samples], add_special_tokens=False)
    return {s.id: len(e.ids) for s, e in zip(samples, encodings, strict=True)}


def export(samples: Sequence[RenderedSample], seed: int) -> list[TrainingText]:
    """Split the texts; order is kept, and what has none is left out."""
    there = [s for s in samples if not s.dropped]
    aside = held_out(there, seed)
    return [
        TrainingText(
            id=s.id,
            split="held_out" if s.id in aside else "train",
            mode=s.mode,
            text=s.text,
            learned=s.learned,
        )
        for s in there
    ]


def ledger(fates: Sequence[Fate], samples: Sequence[RenderedSample], lines: Sequence[TrainingText]) -> list[Fate]:
    """Return each memory's final fate: trained on, held out, or dropped by which rule; how many texts it became."""
    splits = {line.sample: line.split for line in lines}
    texts: dict[str, list[RenderedSample]] = defaultdict(list)
    for sample in samples:
        texts[sample.sample].append(sample)
    return [
        fate if fate.fate == "dropped" else _final(fate, texts[fate.sample], splits.get(fate.sample)) for fate in fates
    ]


def _final(fate: Fate, texts: Sequence[RenderedSample], split: Split | None) -> Fate:
    if split is None:
        rule, _, detail = texts[0].dropped.partition(": ")
        return Fate(memory=fate.memory, fate="dropped", rule=rule, detail=detail)
    details = [
        fate.detail,
        CUT if any(t.cut for t in texts) else "",
        f"{len(texts)} texts" if len(texts) > 1 else "",
    ]
    return msgspec.structs.replace(fate, fate=split, detail="; ".join(filter(None, details)), texts=len(texts))
