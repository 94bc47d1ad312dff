"""A job really runs in a process of its own."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from idiolect.config import Options
from idiolect.dataset import TrainingText
from idiolect.errors import RunFailed
from idiolect.machines import train_here
from idiolect.training import (
    Event,
    Failed,
    Finished,
    HeldOut,
    Note,
    Started,
    Stepped,
    decode,
    read_result,
    write_bundle,
)
from idiolect.training.events import append

OPTIONS = Options(
    num_train_epochs=1,
    warmup_steps=0,
    dtype="float32",
    load_in_4bit=False,
    optimizer="adamw_torch",
    use_gradient_checkpointing=False,
)


def write_job(folder: Path, base: Path, samples: int = 12) -> None:
    lines = []
    for n in range(samples):
        text = f"<|im_start|>user\n{n}?<|im_end|>\n<|im_start|>assistant\nWe're going home.<|im_end|>\n"
        split = "held_out" if n < 2 else "train"
        learned = ((text.index("We"), len(text) - 1),)
        lines.append(TrainingText(id=f"{n}", split=split, mode="emulation", text=text, learned=learned))  # type: ignore[arg-type]
    write_bundle(folder, "adapter", OPTIONS, lines, base / "tokenizer.json")


@pytest.mark.slow
def test_events_arrive_in_order_and_the_result_is_there(
    tmp_path: Path, tiny_base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle, told = tmp_path / "bundle", list[Event]()
    write_job(bundle, tiny_base)
    monkeypatch.setenv("PYTHONPROFILEIMPORTTIME", "1")  # the job's log then names all that it imports
    train_here(bundle, tiny_base, tmp_path / "run.log", told.append)
    assert [type(e) for e in told] == [Started, HeldOut, Stepped, HeldOut, Finished]
    assert read_result(bundle).steps == 1
    imported = {line.rpartition("|")[2].strip() for line in (tmp_path / "run.log").read_text().splitlines()}
    assert "torch" in imported
    assert "ray" not in imported


def test_a_job_that_fails_says_why_and_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "bundle").mkdir()
    told: list[Event] = []
    with pytest.raises(RunFailed) as failure:
        train_here(tmp_path / "bundle", tmp_path, tmp_path / "run.log", told.append)
    assert "is not a job bundle" in failure.value.problem
    assert failure.value.remedy == "Make the bundle again."
    assert [type(e) for e in told] == [Failed]


@pytest.mark.slow
def test_a_job_that_falls_says_where_to_look(tmp_path: Path, tiny_base: Path) -> None:
    broken, log = tmp_path / "broken", tmp_path / "run.log"
    shutil.copytree(tiny_base, broken)
    (broken / "model.safetensors").write_bytes(b"\0" * 64)
    write_job(tmp_path / "bundle", tiny_base)
    with pytest.raises(RunFailed, match=r"ended with exit code 1: .*Error") as failure:
        train_here(tmp_path / "bundle", broken, log, lambda _: None)
    assert str(log) in failure.value.remedy


def test_what_was_told_before_is_kept_and_not_told_again(tmp_path: Path, tiny_base: Path) -> None:
    bundle, told = tmp_path / "bundle", list[Event]()
    write_job(bundle, tiny_base)
    append(bundle / "events.jsonl", Note("before"))
    (bundle / "job.json").unlink()
    with pytest.raises(RunFailed):
        train_here(bundle, tiny_base, tmp_path / "run.log", told.append)
    assert [type(e) for e in told] == [Failed]
    assert [type(e) for e in decode((bundle / "events.jsonl").read_bytes())] == [Note, Failed]


@pytest.mark.slow
def test_ctrl_c_ends_the_job_too(tmp_path: Path, tiny_base: Path) -> None:
    write_job(tmp_path / "bundle", tiny_base, samples=4000)
    program = (
        "import sys; from pathlib import Path; from idiolect.machines import train_here\n"
        f"train_here(Path({str(tmp_path / 'bundle')!r}), Path({str(tiny_base)!r}), Path({str(tmp_path / 'log')!r}),"
        " lambda event: print(event, flush=True))"
    )
    parent = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, process_group=0)
    assert parent.stdout
    for line in parent.stdout:
        if line.startswith("Stepped"):
            break
    os.killpg(parent.pid, signal.SIGINT)
    assert parent.wait(timeout=20) != 0
    parent.stdout.close()
    deadline = time.monotonic() + 10
    while _running(str(tmp_path / "bundle")) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not _running(str(tmp_path / "bundle"))
    assert not (tmp_path / "bundle" / "outputs" / "result.json").exists()


def _running(bundle: str) -> bool:
    listed = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    return f"idiolect.training {bundle}" in listed
