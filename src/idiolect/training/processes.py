"""Several processes on one job, started by torchrun: who this one is, and what they tell each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeVar

import torch.distributed as dist
from accelerate import PartialState

_T = TypeVar("_T")


@dataclass(frozen=True)
class Processes:
    """Who this process is among those of a job; alone, it is the first of one."""

    rank: int
    count: int

    @property
    def first(self) -> bool:
        return self.rank == 0

    def agree(self, value: _T) -> _T:
        """Return what the first process has."""
        values: list[Any] = [value]
        if self.count > 1:
            dist.broadcast_object_list(values, src=0)
        agreed: _T = values[0]
        return agreed

    def all(self, value: _T) -> list[_T]:
        """Return what each process has, in their order."""
        values: list[Any] = [value] * self.count
        if self.count > 1:
            dist.all_gather_object(values, value)
        return values

    def wait(self) -> None:
        """Go on when all have come here."""
        if self.count > 1:
            dist.barrier()


def join(*, on_cpu: bool) -> Processes:
    """Meet the other processes that torchrun started: over NCCL on GPUs, over gloo on CPUs."""
    state = PartialState(cpu=on_cpu)
    return Processes(state.process_index, state.num_processes)
