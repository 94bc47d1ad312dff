"""Two processes on one job are really copies or really parts, and learn what one alone would."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.training.jobs import FAST, write_job


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory, tiny_base: Path) -> dict[str, list[dict[str, Any]]]:
    """Return what each process saw: of an adapter and of a whole model, alone and as two."""
    folder = tmp_path_factory.mktemp("processes")
    exact = FAST.model_copy(update={"lora_dropout": 0.0, "num_train_epochs": 1.5})
    found = {}
    torchrun = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    for count, how in ((1, []), (2, torchrun)):
        words = [str(tiny_base)]
        for trains in ("adapter", "model"):
            bundle, out = folder / f"{trains}-{count}", folder / f"{trains}-{count}-out"
            out.mkdir()
            write_job(bundle, tiny_base, trains, exact)
            words += [str(bundle), str(out)]
        subprocess.run([sys.executable, *how, "-m", "tests.training.jobs", *words], check=True, capture_output=True)
        for trains in ("adapter", "model"):
            outs = sorted((folder / f"{trains}-{count}-out").glob("*.pt"))
            assert len(outs) == count
            found[f"{trains}-{count}"] = [torch.load(out, weights_only=True) for out in outs]
    return found


@pytest.mark.slow
@pytest.mark.parametrize("trains", ["adapter", "model"])
def test_two_processes_have_the_gradients_and_losses_of_one(seen: dict[str, Any], trains: str) -> None:
    (alone,), both = seen[f"{trains}-1"], seen[f"{trains}-2"]
    for process in both:
        assert process["gradients"].keys() == alone["gradients"].keys()
        for name, gradient in alone["gradients"].items():
            torch.testing.assert_close(process["gradients"][name], gradient, atol=1e-5, rtol=0)
    assert len(alone["loss"]) == 5
    assert both[0]["loss"] == pytest.approx(alone["loss"], abs=1e-5)
    assert both[0]["held_out"] == pytest.approx(alone["held_out"], abs=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("trains", ["adapter", "model"])
def test_the_samples_of_a_step_are_split_not_repeated(seen: dict[str, Any], trains: str) -> None:
    (alone,), (first, second) = seen[f"{trains}-1"], seen[f"{trains}-2"]
    assert len(alone["mine"]) == 16
    assert sorted(first["mine"] + second["mine"]) == alone["mine"]
    assert abs(len(first["mine"]) - len(second["mine"])) <= 2


@pytest.mark.slow
def test_an_adapter_is_copied_and_a_model_is_in_parts(seen: dict[str, Any]) -> None:
    for process in seen["adapter-2"]:
        assert process["wrapper"] == "DistributedDataParallel"
        assert process["held"] == process["whole"]
    for process in seen["model-2"]:
        assert process["wrapper"].startswith("FSDP")
        assert process["held"].keys() == process["whole"].keys()
        for name, (rows, *others) in process["whole"].items():
            assert process["held"][name] == (rows // 2, *others), name
    held = [sum(torch.Size(s).numel() for s in p["held"].values()) for p in seen["model-2"]]
    assert sum(held) == sum(torch.Size(s).numel() for s in seen["model-1"][0]["whole"].values())
