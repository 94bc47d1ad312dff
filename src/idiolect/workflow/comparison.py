"""The newest model of a person beside the embedded base model, on what was held out of its training."""

from __future__ import annotations

import msgspec

from idiolect.bases.embedded import packaged_gguf
from idiolect.dataset import FormattedSample, TrainingText
from idiolect.evaluation import Comparison, side_by_side
from idiolect.home import Home
from idiolect.workflow.runs import newest


def compare_with_embedded(home: Home, person: str, count: int = 3) -> list[Comparison]:
    """Let both answer `count` held-out prompts of the newest run."""
    run = newest(home, person).run
    samples = msgspec.json.decode(run.formatted.read_bytes(), type=list[FormattedSample])
    lines = [msgspec.json.decode(x, type=TrainingText) for x in run.dataset.read_bytes().splitlines()]
    return side_by_side(samples, lines, packaged_gguf(), run.gguf, count)
