"""Where a job runs: on this computer, for now."""

from idiolect.machines.local import train_here

__all__ = ["train_here"]
