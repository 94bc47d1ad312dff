"""What models still know of given texts: how likely these are to them, and whether they recite them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from idiolect.dataset import TrainingText, tokenize
from idiolect.evaluation.memorized import CONTINUED_TOKENS, Recited, reciting
from idiolect.evaluation.resampling import Estimate, ratio
from idiolect.serving import likelihood_losses, load

#: So many texts tell enough.
_TEXTS = 24


class StillKnown(msgspec.Struct, frozen=True):
    """The loss (nats a token) of texts under a model file, and how often their rest comes out once they are begun."""

    loss: Estimate
    recited: Recited | None


def still_known(texts: Sequence[TrainingText], tokenizer: Path, files: Mapping[str, Path]) -> dict[str, StillKnown]:
    """Ask each of some model files for the same texts, of many for some that are spread over all."""
    chosen = texts[:: max(len(texts) // _TEXTS, 1)][:_TEXTS]
    samples = tokenize(chosen, tokenizer)
    tokens = [float(s.learned_tokens) for s in samples]
    holds = max((len(s.tokens) for s in samples), default=0) + CONTINUED_TOKENS
    return {
        name: StillKnown(
            ratio(likelihood_losses(gguf, samples), tokens), reciting(load(gguf, holds), tokenizer, chosen)
        )
        for name, gguf in files.items()
    }
