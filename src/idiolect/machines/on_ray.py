"""`python -m idiolect.machines.on_ray BUNDLE`, run by Ray's Jobs API: the one training loop on workers of Ray Train.

Ray starts a process for each worker, tells each its rank, and when one is lost begins anew with all of them; the
bundle, on a disk that they share, has the checkpoints that training then goes on from.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path
from typing import Any

from idiolect.training import mend, train_bundle


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m idiolect.machines.on_ray")
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--base", type=Path, required=True)
    parser.add_argument("--workers", type=int, required=True)
    parser.add_argument("--cpus", type=float, required=True)
    parser.add_argument("--retries", type=int, required=True)
    parser.add_argument("--gpu", action="store_true")
    parser.add_argument("--merge", action="store_true")
    asked = parser.parse_args()
    if not (asked.bundle / "outputs" / "result.json").exists():
        _train(asked)
    if asked.merge:
        _merge(asked.bundle, asked.base)


def _train(asked: argparse.Namespace) -> None:
    """Train with Ray's retries; it has none for a worker that is lost in the moment in which the group starts."""
    from ray.train import ControllerError

    for start in range(asked.retries + 1):
        try:
            _trainer(asked, start).fit()
            return
        except ControllerError:
            if start == asked.retries:
                raise


def _trainer(asked: argparse.Namespace, start: int) -> Any:
    from ray.train import FailureConfig, RunConfig, ScalingConfig
    from ray.train.torch import TorchConfig, TorchTrainer

    return TorchTrainer(
        work,
        train_loop_config={"bundle": str(asked.bundle), "base": str(asked.base)},
        torch_config=TorchConfig(backend="nccl" if asked.gpu else "gloo"),
        scaling_config=ScalingConfig(
            num_workers=asked.workers, use_gpu=asked.gpu, resources_per_worker={"CPU": asked.cpus}
        ),
        run_config=RunConfig(
            name=f"start-{start}",
            storage_path=str(asked.bundle.parent / "ray"),
            failure_config=FailureConfig(max_failures=asked.retries),
        ),
    )


def work(given: dict[str, Any]) -> None:
    """Be one of the workers."""
    from ray.train import get_context

    bundle = Path(given["bundle"])
    if get_context().get_world_rank() == 0:
        mend(bundle / "events.jsonl")
    train_bundle(bundle, given["base"])


def _merge(bundle: Path, base: Path) -> None:
    """Make the model file, where Ray has a CPU for it."""
    import ray

    words = [sys.executable, "-m", "idiolect.export", str(bundle), "--base", str(base)]
    done = ray.remote(num_cpus=1)(subprocess.run).remote(words, capture_output=True, text=True)
    ended = ray.get(done)
    if ended.returncode:
        sys.exit(ended.stderr)


if __name__ == "__main__":
    main()
