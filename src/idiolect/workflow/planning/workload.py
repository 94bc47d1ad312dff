"""How much there is to learn: a person's newest data set, their memories before there is one, or what is typical."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from idiolect.dataset import TrainingText, open_tokenizer
from idiolect.files import decode_lines, regular_bytes
from idiolect.home import Profile
from idiolect.training import Work

#: A sample of the sample person, in tokens and in the share of them that is learned; the longest is four times it.
_SAMPLE, _LEARNED, _LONGEST = 100, 0.6, 400
_DEFAULT_SAMPLES = 1000
#: Characters of English in a token of a large vocabulary, where the model's tokenizer is not at hand.
_CHARACTERS = 4.0


def typical(tokens: int | None) -> Work:
    """Return so many tokens in samples of a usual length, or so many samples as a person may have."""
    if tokens is None:
        return _samples(
            _DEFAULT_SAMPLES, f"{_DEFAULT_SAMPLES:,} samples of {_SAMPLE} tokens: no --username, no --tokens"
        )
    return _samples(max(1, tokens // _SAMPLE), f"{tokens:,} tokens, as asked")


def data_of(profile: Profile, base: Path | None) -> Work:
    """Return what a person has, counted with the tokenizer in the base model's folder, if it is here."""
    newest = _newest_dataset(profile)
    if newest is None:
        memories = sum(1 for _ in profile.memories.rglob("*.json"))
        return _samples(memories, f"{memories:,} memories of {_SAMPLE} tokens each: no data set has been made yet")
    path, lines = newest
    kept = [line for line in lines if line.split == "train"]
    return _counted(kept, base, profile.home.shown(path))


def _samples(samples: int, source: str) -> Work:
    tokens = samples * _SAMPLE
    return Work(samples, tokens, int(tokens * _LEARNED), min(_LONGEST, tokens), source)


def _newest_dataset(profile: Profile) -> tuple[Path, list[TrainingText]] | None:
    """Return the data set that was last written; one that is damaged, or of MetaHuman OS' form, is passed over."""
    files = [place.dataset for place in (profile.dataset(), *profile.runs()) if place.dataset.exists()]
    for file in sorted(files, key=lambda f: f.stat().st_mtime, reverse=True):
        lines, faults = decode_lines(regular_bytes(file), TrainingText)
        if lines and not faults:
            return file, lines
    return None


def _counted(lines: Sequence[TrainingText], base: Path | None, source: str) -> Work:
    """Count a data set with the base model's tokenizer, or by its characters if that is not here."""
    lengths = _token_counts(lines, base)
    learned = sum(end - start for line in lines for start, end in line.learned)
    share = learned / max(1, sum(len(line.text) for line in lines))
    tokens = max(1, sum(lengths))
    return Work(max(1, len(lines)), tokens, int(tokens * share), max(lengths, default=1), source)


def _token_counts(lines: Sequence[TrainingText], base: Path | None) -> list[int]:
    if base is None or not (base / "tokenizer.json").is_file():
        return [int(len(line.text) / _CHARACTERS) + 1 for line in lines]
    tokenizer = open_tokenizer(base / "tokenizer.json")
    return [len(e.ids) for e in tokenizer.encode_batch([line.text for line in lines], add_special_tokens=False)]
