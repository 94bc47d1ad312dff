"""Killed at any moment, a training goes on and ends with the weights of one that was never killed."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from idiolect.files import sha256
from idiolect.training import Event, Note, read_result
from idiolect.training.bundle import Job, open_bundle
from idiolect.training.checkpoints import last_checkpoint
from idiolect.training.processes import Processes
from idiolect.training.train import build, train
from tests.training.jobs import FAST, write_job

#: All that has a state of its own: dropout and noise (chance), moments, schedule, rounding by chance.
JOBS: dict[str, dict[str, Any]] = {
    "adapter": {"neftune": 5.0, "weight_decay": 0.01},
    "adapter-bfloat16": {"dtype": "bfloat16"},
    "model": {"optimizer": "adafactor", "neftune": 5.0},
    "model-bfloat16": {"optimizer": "adafactor", "dtype": "bfloat16"},
    "model-adamw": {"dtype": "bfloat16"},
}


def job(folder: Path, base: Path, name: str) -> Job:
    trains: Any = name.partition("-")[0]
    return open_bundle(write_job(folder / name, base, trains, FAST.model_copy(update=JOBS[name])))


def weights(trained: Job) -> dict[str, str]:
    return {f.name: sha256(f) for f in trained.weights.glob("*.safetensors")}


@pytest.mark.slow
@pytest.mark.parametrize(("step", "seconds", "goes_on_from"), [(5, 0, 4), (4, 300, 3)])
def test_killed_within_or_between_epochs_it_ends_bit_for_bit_the_same(
    tmp_path: Path, tiny_base: Path, step: int, seconds: int, goes_on_from: int
) -> None:
    killed = {name: job(tmp_path / "killed", tiny_base, name) for name in JOBS}
    words = [str(tiny_base), str(step), str(seconds), *(str(k.folder) for k in killed.values())]
    subprocess.run([sys.executable, "-m", "tests.training.killed", *words], check=True, capture_output=True)
    for name, again in killed.items():
        told: list[Event] = []
        found = last_checkpoint(again.checkpoints)
        assert found
        assert found.name == f"checkpoint-{goes_on_from}"
        result = train(again, tiny_base, told.append)
        assert Note(f"Going on from checkpoint-{goes_on_from}.") in told
        never = job(tmp_path / "never", tiny_base, name)
        wanted = train(never, tiny_base, lambda _: None)
        assert weights(again) == weights(never), name
        assert result.loss_by_epoch == wanted.loss_by_epoch
        assert (result.loss_before, result.steps) == (wanted.loss_before, 6)


def test_checkpoints_are_few_the_best_is_kept_and_a_torn_one_is_none(tmp_path: Path, tiny_base: Path) -> None:
    folder = write_job(tmp_path / "job", tiny_base, "adapter", FAST.model_copy(update={"save_total_limit": 1}))
    trainer, _ = build(open_bundle(folder), tiny_base, Processes(0, 1), lambda _: None, checkpoint_seconds=0)
    trainer.train()
    kept = {p.name for p in (folder / "checkpoints").glob("checkpoint-*")}
    assert "checkpoint-6" in kept
    assert kept <= {"checkpoint-6", f"checkpoint-{trainer.state.best_global_step}"}
    torn = folder / "checkpoints" / "checkpoint-7"
    torn.mkdir()
    (torn / "trainer_state.json").write_text('{"epoch": 1.')
    found = last_checkpoint(folder / "checkpoints")
    assert found
    assert found.name == "checkpoint-6"
    assert not torn.exists()


def test_a_moved_bundle_finds_its_best_checkpoint(tmp_path: Path, tiny_base: Path) -> None:
    folder = write_job(tmp_path / "here", tiny_base)
    trainer, _ = build(open_bundle(folder), tiny_base, Processes(0, 1), lambda _: None, checkpoint_seconds=300)
    trainer.train()
    folder.rename(tmp_path / "there")
    found = last_checkpoint(tmp_path / "there" / "checkpoints")
    assert found
    best = json.loads((found / "trainer_state.json").read_text())["best_model_checkpoint"]
    assert Path(best).parent == tmp_path / "there" / "checkpoints"
    assert Path(best).is_dir()


def test_where_saving_is_slow_it_is_done_seldom(tmp_path: Path, tiny_base: Path) -> None:
    folder = write_job(tmp_path / "job", tiny_base)
    trainer, _ = build(open_bundle(folder), tiny_base, Processes(0, 1), lambda _: None, checkpoint_seconds=1e-9)
    saved: list[int] = []
    often = next(c for c in trainer.callback_handler.callbacks if type(c).__name__ == "EverySoOften")
    trainer.save_seconds = 3600.0
    trainer.state.max_steps = 99
    for trainer.state.global_step in (1, 2, 3, 4):
        control = often.on_step_end(trainer.args, trainer.state, trainer.control)
        saved += [trainer.state.global_step] if control.should_save else []
    assert saved == []
    trainer.save_seconds = 0.0
    for trainer.state.global_step in (4, 5, 6):
        trainer.control.should_save = False
        control = often.on_step_end(trainer.args, trainer.state, trainer.control)
        saved += [trainer.state.global_step] if control.should_save else []
    assert saved == [4, 5]


@pytest.mark.slow
def test_a_job_of_two_processes_that_was_killed_goes_on(tmp_path: Path, tiny_base: Path) -> None:
    """With sharded weights, in the middle of the second epoch; one process alone gives what it must come to."""
    sharded, alone = job(tmp_path / "two", tiny_base, "model-adamw"), job(tmp_path / "one", tiny_base, "model-adamw")
    exact = FAST.model_copy(update={"optimizer": "adafactor"})
    for made in (sharded, alone):
        write_job(made.folder, tiny_base, "model", exact)
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m"]
    words = [str(tiny_base), "5", "0", str(sharded.folder)]
    done = subprocess.run([*torchrun, "tests.training.killed", *words], check=False, capture_output=True)
    assert done.returncode
    found = last_checkpoint(sharded.checkpoints, 2, sharded=True)
    assert found
    assert found.name == "checkpoint-4"
    assert last_checkpoint(sharded.checkpoints, 3, sharded=True) is None
    assert last_checkpoint(sharded.checkpoints) is None
    ours = [sys.executable, "-m", "idiolect.training", str(sharded.folder), "--base", str(tiny_base)]
    began = time.monotonic()
    subprocess.run([*ours, "--processes", "2"], check=True, capture_output=True)
    assert time.monotonic() - began < 300
    train(open_bundle(alone.folder), tiny_base, lambda _: None)
    two, one = read_result(sharded.folder), read_result(alone.folder)
    assert two.processes == 2
    assert two.loss_by_epoch == pytest.approx(one.loss_by_epoch, abs=1e-5)
    assert two.trained_parameters == one.trained_parameters
