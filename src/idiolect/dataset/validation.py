"""What a data set must be before anything is trained on it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from idiolect.config import MODES
from idiolect.dataset.formatter import INLINE_TAGS
from idiolect.dataset.training_text import TrainingText
from idiolect.errors import DataFault

#: Below this a model learns the voice, but little else.
FEW = 1000
RARE_MODE = 0.1

_CONTROL_TOKEN = re.compile(r"<[^<>]+>\s*\Z")


def validate(lines: Sequence[TrainingText]) -> list[str]:
    """Return warnings. Raises DataFault with every fault of the data set."""
    train = [line for line in lines if line.split == "train"]
    faults = [f"{line.id}: {fault}" for line in lines if (fault := _fault(line))]
    if not train:
        faults.append("no sample is left to train on")
    if not any(line.split == "held_out" for line in lines):
        faults.append("no sample is left to hold out; at least 4 are needed")
    known = {line.text for line in train}
    faults += [f"{x.id}: held out, and trained on too" for x in lines if x.split == "held_out" and x.text in known]
    if faults:
        raise DataFault(
            "The data set cannot be trained on: " + "; ".join(faults),
            "See ledger.jsonl: what was dropped, and why.",
        )
    return _warnings(train)


def _fault(line: TrainingText) -> str | None:
    if not line.learned:
        return "nothing in it is learned"
    if any(not 0 <= start < end <= len(line.text) for start, end in line.learned):
        return "a learned part lies outside of the text"
    if any(not words_of(line.text[start:end]) for start, end in line.learned):
        return "an empty reply"
    others = [tag for mode, tags in INLINE_TAGS.items() if mode != line.mode for tag in tags]
    if any(f"{tag}: " in line.text for tag in others) and any(f"{t}: " in line.text for t in INLINE_TAGS[line.mode]):
        return "tags of another mode stand in it"
    return None


def words_of(learned: str) -> str:
    """Return what is left of a learned part without the control token at its end."""
    return _CONTROL_TOKEN.sub("", learned).strip()


def _warnings(train: Sequence[TrainingText]) -> list[str]:
    warnings = []
    if len(train) < FEW:
        warnings.append(f"{len(train)} samples to train on; a faithful voice wants {FEW:,} or more")
    modes = Counter(line.mode for line in train)
    rare = [f"{m} {modes[m] / len(train):.0%}" for m in MODES if modes[m] < RARE_MODE * len(train)]
    if rare:
        warnings.append(f"few samples in mode {', '.join(rare)}")
    return warnings
