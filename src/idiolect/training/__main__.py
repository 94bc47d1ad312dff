"""`python -m idiolect.training BUNDLE` trains a bundle anywhere, on all GPUs of the machine.

Progress goes to events.jsonl in the bundle, and so do the weights, to outputs/. Interrupted and started again, it goes
on. On several machines: start it with torchrun on each, on one and the same bundle.
"""

from __future__ import annotations

import argparse
import os
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from idiolect.errors import IdiolectError
from idiolect.training.bundle import open_bundle
from idiolect.training.events import mend, say_failed
from idiolect.training.start import base_of, train_bundle


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m idiolect.training", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--base", help="the base model: a Transformers folder, or a name, if the bundle has none")
    parser.add_argument("--processes", type=int, help="how many on this machine; one for each GPU if not given")
    parser.add_argument("--while-stdin", action="store_true", help="end when standard input does: with its parent")
    asked = parser.parse_args()
    if asked.while_stdin:
        threading.Thread(target=_end_with_stdin, daemon=True).start()
    try:
        if "RANK" not in os.environ:
            job = open_bundle(asked.bundle)
            base = base_of(job, asked.base)
            mend(job.events)
            processes = asked.processes or _gpus()
            if processes > 1:
                _under_torchrun(processes, asked.bundle, base, ["--while-stdin"] if asked.while_stdin else [])
        train_bundle(asked.bundle, asked.base)
    except IdiolectError as error:
        return say_failed(asked.bundle, error)
    return 0


def _gpus() -> int:
    import torch

    return int(torch.cuda.device_count())


def _under_torchrun(processes: int, bundle: Path, base: Path, also: Sequence[str]) -> None:
    """Become torchrun, which starts this program so many times and ends them all if one fails."""
    torchrun = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(processes)]
    ours = ["-m", "idiolect.training", str(bundle), "--base", str(base), *also]
    os.execv(sys.executable, [sys.executable, *torchrun, *ours])  # noqa: S606


def _end_with_stdin() -> None:
    """End this process when standard input ends, as it does when whoever holds its other end dies, however it dies."""
    while os.read(sys.stdin.fileno(), 1):
        pass
    os._exit(1)


if __name__ == "__main__":
    sys.exit(main())
