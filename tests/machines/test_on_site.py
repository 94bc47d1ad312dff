"""What is done on the other computer, tried on this one."""

from __future__ import annotations

import json
import threading
import time
from itertools import count
from pathlib import Path

import pytest

from idiolect.files import sha256
from idiolect.machines.on_site import gpus, has, listing, snapshot, wipe
from idiolect.training.checkpoints import rotate


def checkpoint(folder: Path, step: int, best: int | None = None) -> Path:
    made = folder / f"checkpoint-{step}"
    made.mkdir(parents=True)
    for name in ("adapter_model.safetensors", "optimizer.pt", "scheduler.pt"):
        (made / name).write_text(f"{name} of {step}")
    state = {"best_model_checkpoint": best and f"/elsewhere/checkpoint-{best}"}
    (made / "trainer_state.json").write_text(json.dumps(state))
    return made


def test_the_newest_and_the_best_are_held_though_training_removes_them(tmp_path: Path) -> None:
    there, held = tmp_path / "checkpoints", tmp_path / "held"
    assert snapshot(there, held) == []
    for step in (3, 5, 20):
        checkpoint(there, step, best=5)
    torn = there / "checkpoint-30"
    torn.mkdir()
    (torn / "trainer_state.json").write_text('{"best_model')
    assert snapshot(there, held) == ["checkpoint-5", "checkpoint-20"]
    (torn / "trainer_state.json").unlink()
    torn.rmdir()
    checkpoint(there, 40, best=40)
    rotate(there, 1, "checkpoint-40")
    assert [c.name for c in there.iterdir()] == ["checkpoint-40"]
    assert len(listing(held)) == 8
    assert snapshot(there, held) == ["checkpoint-40"]
    assert [c.name for c in held.iterdir()] == ["checkpoint-40"]


def test_a_training_that_is_faster_than_whoever_looks_is_never_seen_half(tmp_path: Path) -> None:
    there, held = tmp_path / "checkpoints", tmp_path / "held"
    checkpoint(there, 0)
    ended = threading.Event()

    def train() -> None:
        step = 0
        while not ended.is_set():
            step += 1
            checkpoint(there, step, best=max(step - 1, 0) if step % 3 else step)
            rotate(there, 1, f"checkpoint-{max(step - 1, 0)}" if step % 3 else f"checkpoint-{step}")

    training = threading.Thread(target=train)
    training.start()
    found: list[tuple[str, int]] = []
    until = time.monotonic() + 30  # for as long as a busy computer gives the training no turn
    try:
        for look in count():
            found += [(name, len(list((held / name).iterdir()))) for name in snapshot(there, held)]
            if look >= 100 and (len({name for name, _ in found}) > 1 or time.monotonic() > until):
                break
    finally:
        ended.set()
        training.join()
    assert len({name for name, _ in found}) > 1
    assert {files for _, files in found} == {4}


def test_a_listing_has_the_digests_and_a_wiped_folder_is_gone_from_the_disk_too(tmp_path: Path) -> None:
    job = tmp_path / "job"
    job.mkdir()
    (job / "dataset.jsonl").write_text("what was said in confidence")
    line = f"27\t{sha256(job / 'dataset.jsonl')}\tdataset.jsonl"
    assert listing(job) == [line]
    outside = tmp_path / "linked.jsonl"
    outside.hardlink_to(job / "dataset.jsonl")
    assert wipe(job)
    assert not job.exists()
    assert outside.read_bytes() == bytes(27)  # the bytes themselves were overwritten


def test_what_a_computer_has_for_a_job_is_told(tmp_path: Path) -> None:
    for name, size in (("bases/one", 100), ("bases/other", 7), ("jobs/begun", 1)):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "model.safetensors").write_bytes(bytes(size))
    found = json.loads(has(tmp_path, "begun"))
    assert sorted(found["bases"]) == [7, 100]
    assert found["begun"]
    assert not json.loads(has(tmp_path, "another"))["begun"]
    assert min(found["free"], found["memory"]) > 0


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("echo 'GPU-a, 24576'; echo 'GPU-b, 81559'", {"GPU-a": 24576 << 20, "GPU-b": 81559 << 20}),
        ("echo 'GPU-a, [N/A]'", {"GPU-a": 0}),
        ("echo 'NVIDIA-SMI has failed'; exit 9", {}),
    ],
)
def test_the_memory_of_gpus_is_as_the_driver_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str, expected: dict[str, int]
) -> None:
    (tmp_path / "nvidia-smi").write_text(f"#!/bin/sh\n{said}\n")
    (tmp_path / "nvidia-smi").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert gpus() == expected
