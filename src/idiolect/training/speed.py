"""`python -m idiolect.training.speed DTYPE` prints how many operations a second this computer makes on matrices."""

from __future__ import annotations

import subprocess
import sys
import time

#: Tokens, inputs and outputs of a layer: of the size that a small model's are.
_SHAPE = (512, 1024, 2048)
_SECONDS = 0.5


def measured_rate(dtype: str) -> float | None:
    """Measure in a process of its own; None where there is no PyTorch to train with."""
    command = [sys.executable, "-m", "idiolect.training.speed", dtype]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return float(done.stdout) if done.returncode == 0 else None


def main(dtype: str) -> None:
    import torch

    tokens, inputs, outputs = _SHAPE
    x, weight = (torch.randn(n, inputs, dtype=getattr(torch, dtype)) for n in (tokens, outputs))
    x @ weight.T
    began, times = time.perf_counter(), 0
    while time.perf_counter() < began + _SECONDS:
        x @ weight.T
        times += 1
    print(2 * tokens * inputs * outputs * times / (time.perf_counter() - began))  # noqa: T201 - a program of its own


if __name__ == "__main__":
    main(sys.argv[1])
