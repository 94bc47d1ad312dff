"""What a computer has that a training needs: memory, its own and that of GPUs, and room on a disk."""

from __future__ import annotations

from importlib import metadata
from typing import Annotated

import msgspec

from idiolect.errors import MachineFault
from idiolect.files import decode_json
from idiolect.machines.gpu import gpus
from idiolect.machines.on_site import memory, unknown_gpu

_Bytes = Annotated[int, msgspec.Meta(ge=0)]


class Resources(msgspec.Struct, frozen=True):
    """All in bytes. A GPU whose memory is not known has 0."""

    memory: _Bytes
    gpus: tuple[_Bytes, ...] = ()
    free: _Bytes = 0
    """On the disk of our folder."""
    bases: tuple[_Bytes, ...] = ()
    """The weights of each base model that is there."""
    begun: bool = False
    """Whether the job that was asked about is there already."""


def of_this_computer() -> Resources:
    """Return the memory of this computer, and of the GPUs that training would use: those that PyTorch is built for."""
    if "+cpu" in metadata.version("torch"):
        return Resources(memory())
    return Resources(memory(), tuple(gpus().values() or unknown_gpu()))


def decoded(said: str) -> Resources:
    """Return what on_site.py says that a computer has. Raises MachineFault for what it cannot have said."""
    try:
        return decode_json(said, Resources)
    except ValueError as error:
        raise MachineFault(
            f"What the other computer says that it has cannot be read: {said[:80]!r}.", "See to that computer."
        ) from error
