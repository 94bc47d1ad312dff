"""What a run writes, in bytes, here and on another computer; and whether a disk has the room for it."""

from __future__ import annotations

import shutil
from pathlib import Path

from idiolect.config import Options
from idiolect.errors import NoRoom
from idiolect.export import estimate_bytes
from idiolect.files import size_of
from idiolect.home import Run

_MB = 1_000_000
#: What is needed whatever the model: data set, logs, and the embedded base model unpacked.
ALWAYS = 400 * _MB


def check_room(folder: Path, wanted: int) -> None:
    """Raise NoRoom unless the disk of `folder` (which need not exist yet) has `wanted` bytes free."""
    existing = next(f for f in (folder, *folder.absolute().parents) if f.exists())
    remedy = "Free some room, or set IDIOLECT_HOME to a folder on a larger disk."
    check_free(str(folder), shutil.disk_usage(existing).free, wanted, remedy)


def check_free(where: str, free: int, wanted: int, remedy: str) -> None:
    """Raise NoRoom if of the disk of a place fewer than `wanted` bytes are `free`."""
    if free < wanted:
        raise NoRoom(f"{where}: {free / _MB:,.0f} MB are free on its disk, {wanted / _MB:,.0f} MB are needed.", remedy)


def left_to_write(base: Path, run: Run, options: Options) -> int:
    """Estimate what a run has yet to write here: one that is gone on with has written some."""
    return max(0, _of_run(base, run, options) - size_of(run.folder) - size_of(run.work))


def _of_run(base: Path, run: Run, options: Options) -> int:
    """Estimate what a run writes here: the GGUF, and weights and checkpoints.

    An adapter's are far less than a tenth of the base; merged, if that is kept, it is as large as the base.
    """
    weights = weights_of(base)
    # The base becomes a model file, too, for comparison.
    files = 2 * estimate_bytes(base, run.quantization)
    if run.cycle.trains == "adapter":
        return files + weights // 10 + (weights if options.keep_model else 0)
    # A whole model is there once in the bundle, and once in the run's folder.
    return files + _checkpoints(weights, options) + 2 * weights


def of_job(base: Path, run: Run, options: Options, *, merges: bool) -> int:
    """Estimate what a job writes where it trains, the base model apart; what is installed there is not known of."""
    weights = weights_of(base)
    model_file = estimate_bytes(base, run.quantization) if merges else 0
    if run.cycle.trains == "adapter":
        return model_file + weights // 10 + (weights if merges and options.keep_model else 0)
    return model_file + _checkpoints(weights, options) + weights


def weights_of(base: Path) -> int:
    return sum(f.stat().st_size for f in base.glob("*.safetensors"))


def _checkpoints(weights: int, options: Options) -> int:
    """Return what a whole model's take: as many as are asked for, and once more before an older one is removed.

    Beside the weights of each stand the optimizer's two moments: of a byte each, of four, or, of Adafactor's, next to
    nothing.
    """
    moments = {"adafactor": 0, "adamw_torch": 4}.get(options.optimizer, 1)
    return (options.save_total_limit + 1) * (1 + moments) * weights
