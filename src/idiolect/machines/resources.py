"""What a computer has that a training needs: memory, its own and that of GPUs, and room on a disk."""

from __future__ import annotations

from importlib import metadata

import msgspec

from idiolect.machines.gpu import gpus
from idiolect.machines.on_site import memory, unknown_gpu


class Resources(msgspec.Struct, frozen=True):
    """All in bytes. A GPU whose memory is not known has 0."""

    memory: int
    gpus: tuple[int, ...] = ()
    free: int = 0
    """On the disk of our folder."""
    bases: tuple[int, ...] = ()
    """The weights of each base model that is there."""
    begun: bool = False
    """Whether the job that was asked about is there already."""


def of_this_computer() -> Resources:
    """Return the memory of this computer, and of the GPUs that training would use: those that PyTorch is built for."""
    if "+cpu" in metadata.version("torch"):
        return Resources(memory())
    return Resources(memory(), tuple(gpus().values() or unknown_gpu()))


def decoded(said: str) -> Resources:
    """Return what on_site.py says that a computer has."""
    return msgspec.json.decode(said, type=Resources)
