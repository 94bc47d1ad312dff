"""Promise: a damaged checkpoint costs what was learned since the one before, and never the run."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from idiolect.errors import RunFailed
from idiolect.machines import train_here
from idiolect.training import Event, HeldOut, open_bundle
from idiolect.training.checkpoints import last_checkpoint
from idiolect.training.processes import Processes
from idiolect.training.train import build
from tests.hostile.cases import cases
from tests.training.jobs import FAST, write_job


@pytest.fixture(scope="module")
def trained(tiny_base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The checkpoints of a job, at least two."""
    options = FAST.model_copy(update={"save_total_limit": 3})
    folder = write_job(tmp_path_factory.mktemp("trained") / "job", tiny_base, "adapter", options)
    trainer, _ = build(open_bundle(folder), tiny_base, Processes(0, 1), lambda _: None, checkpoint_seconds=0)
    trainer.train()
    assert len(list((folder / "checkpoints").glob("checkpoint-*"))) >= 2
    return folder / "checkpoints"


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def flip(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 0xFF
    file.write_bytes(content)


def zeros(file: Path) -> None:
    file.write_bytes(bytes(file.stat().st_size))


def empty(file: Path) -> None:
    file.write_bytes(b"")


FILES = ["adapter_model.safetensors", "optimizer.pt", "rng_state.pth", "scheduler.pt", "consumed.json", "sums.json"]


@pytest.mark.parametrize("damage", [cut, flip, zeros, empty, Path.unlink])
@pytest.mark.parametrize("name", cases([*FILES, "trainer_state.json"], 3))
def test_a_damaged_checkpoint_falls_back_to_the_one_before(
    trained: Path, tmp_path: Path, name: str, damage: Callable[[Path], None]
) -> None:
    here = tmp_path / "checkpoints"
    shutil.copytree(trained, here)
    newest = last_checkpoint(here)
    assert newest
    if (name, damage) in [("trainer_state.json", flip), ("sums.json", Path.unlink)]:
        pytest.skip("one letter of a number is still a number; without sums the ends of the files tell")
    damage(newest / name)
    before = last_checkpoint(here)
    assert before
    assert int(before.name.rpartition("-")[2]) < int(newest.name.rpartition("-")[2])
    assert not newest.exists()


def test_weights_cut_short_are_found_without_sums(trained: Path, tmp_path: Path) -> None:
    here = tmp_path / "checkpoints"
    shutil.copytree(trained, here)
    newest = last_checkpoint(here)
    assert newest
    (newest / "sums.json").unlink()
    cut(newest / "adapter_model.safetensors")
    assert last_checkpoint(here) != newest


@pytest.mark.parametrize("odd", [float("nan"), float("inf")])
def test_a_base_model_with_a_weight_that_is_no_number_is_said(tiny_base: Path, tmp_path: Path, odd: float) -> None:
    base = tmp_path / "base"
    shutil.copytree(tiny_base, base)
    weights = load_file(base / "model.safetensors")
    name = next(n for n in weights if "down_proj" in n)
    weights[name] = torch.full_like(weights[name], odd)
    save_file(weights, base / "model.safetensors", {"format": "pt"})
    told: list[Event] = []
    with pytest.raises(RunFailed, match="not a number"):
        train_here(write_job(tmp_path / "job", base), base, tmp_path / "log", told.append)
    assert not any(isinstance(event, HeldOut) for event in told)
