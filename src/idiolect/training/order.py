"""In which order samples are learned from: another one each epoch, that the seed alone decides."""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from torch.utils.data import DataLoader, Sampler

from idiolect.dataset import TokenizedSample


class Order(Sampler[list[int]]):
    """Yields the positions of the samples of each optimizer step of an epoch."""

    def __init__(self, samples: int, a_step: int, seed: int) -> None:
        self.samples = samples
        self.a_step = a_step
        self.seed = seed
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        self.epoch = epoch

    def __len__(self) -> int:
        return math.ceil(self.samples / self.a_step)

    def __iter__(self) -> Iterator[list[int]]:
        return iter(self.steps_of(self.epoch))

    def steps_of(self, epoch: int) -> list[list[int]]:
        shuffled = list(range(self.samples))
        random.Random(f"{self.seed} {epoch}").shuffle(shuffled)  # noqa: S311 - to be repeated, not to be secret
        return [shuffled[i : i + self.a_step] for i in range(0, self.samples, self.a_step)]


class OrderedLoader(DataLoader[Any]):
    """A data loader that passes on which epoch it is, as Transformers says it."""

    def set_epoch(self, epoch: int) -> None:
        self.batch_sampler.set_epoch(epoch)


def learned_from(samples: Sequence[TokenizedSample], order: Order, steps: int) -> Counter[str]:
    """Return how often each sample, by id, has been learned from after so many steps."""
    epochs, more = divmod(steps, len(order))
    times = Counter({s.id: epochs for s in samples if epochs})
    for batch in order.steps_of(epochs)[:more]:
        times.update(samples[i].id for i in batch)
    return times
