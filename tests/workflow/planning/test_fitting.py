"""A machine that is too small for a job is refused before anything is sent, with what would fit."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from idiolect.bases import BaseModel
from idiolect.config import Options
from idiolect.errors import MachineFault, NoRoom
from idiolect.home import FINE_TUNE, FULL, Cycle, Home
from idiolect.machines import Resources, RunPodWishes
from idiolect.workflow.planning.fitting import Job, check_disk, check_memory, check_rented_disk
from idiolect.workflow.planning.plan import Asked, plan
from tests.conftest import Event, MakePerson
from tests.machines.ssh_server import SSHD, SshServer
from tests.published import QWEN3_14B

GIB = 1 << 30
WEIGHTS = 30 * 10**9


@pytest.fixture
def job(home: Home, make_person: MakePerson, talks: list[Event], tmp_path: Path) -> Job:
    """A LoRA of a person on what claims to be a model of 14 billion weights: its file is a hole."""
    folder = tmp_path / "qwen"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(QWEN3_14B))
    with (folder / "model.safetensors").open("wb") as file:
        file.truncate(WEIGHTS)
    return job_of(home, make_person("ada", talks), folder, FULL)


def job_of(home: Home, person: str, base: Path, cycle: Cycle, **settings: Any) -> Job:
    profile = home.profile(person)
    run = profile.run(cycle, "2026-01-02-030405-abcdef")
    return Job(profile, run, Options(**settings), BaseModel("qwen", base))


def test_a_gpu_and_a_memory_that_are_too_small_are_refused_with_what_would_fit(job: Job) -> None:
    with pytest.raises(
        MachineFault, match=r"box is too small for this: .* GiB of memory, and its GPU has 8\.0"
    ) as told:
        check_memory(job, "box", Resources(64 * GIB, (8 * GIB,)))
    assert "a smaller base model" in told.value.remedy
    with pytest.raises(MachineFault, match=r"and it has 16\.0"):
        check_memory(job, "This computer", Resources(16 * GIB))
    with pytest.raises(MachineFault, match=r"and each of its GPUs has 8\.0"):
        check_memory(job, "box", Resources(64 * GIB, (8 * GIB, 80 * GIB)))
    check_memory(job, "box", Resources(64 * GIB, (24 * GIB,)))
    check_memory(job, "box", Resources(64 * GIB))


def test_what_is_not_known_or_goes_on_there_already_is_not_refused(job: Job) -> None:
    check_memory(job, "box", Resources(GIB, (0,)))
    check_memory(job, "box", Resources(GIB, (GIB,), begun=True))
    check_disk(job, "box", Resources(GIB, begun=True))
    (job.base.folder / "config.json").write_text(json.dumps(QWEN3_14B | {"architectures": ["MambaForCausalLM"]}))
    check_memory(job, "box", Resources(GIB))


def test_a_disk_must_hold_the_base_model_unless_that_is_there(job: Job) -> None:
    with pytest.raises(NoRoom, match=r"box: 20,000 MB are free on its disk, 33,000 MB are needed") as told:
        check_disk(job, "box", Resources(GIB, free=20 * 10**9))
    assert "machines.toml" in told.value.remedy
    check_disk(job, "box", Resources(GIB, free=33 * 10**9))
    check_disk(job, "box", Resources(GIB, free=20 * 10**9, bases=(7, WEIGHTS)))


def test_the_disk_of_a_pod_must_hold_all_checkpoints_of_a_whole_model(job: Job, home: Home) -> None:
    check_rented_disk(job, RunPodWishes())
    whole = job_of(home, "ada", job.base.folder, FINE_TUNE, optimizer="adafactor", save_total_limit=2)
    with pytest.raises(NoRoom, match="120,000 MB are free on its disk, 150,000 MB are needed") as told:
        check_rented_disk(whole, RunPodWishes())
    assert "Write disk_gb = 150 below [runpod]" in told.value.remedy
    check_rented_disk(whole, RunPodWishes(disk_gb=150))


@pytest.mark.skipif(SSHD is None, reason="there is no OpenSSH server (Debian: openssh-server)")
def test_the_gpu_of_a_box_is_asked_for_before_anything_is_sent(
    home: Home, make_person: MakePerson, talks: list[Event], tiny_base: Path, tmp_path: Path
) -> None:
    driver = tmp_path / "driver"
    driver.mkdir()
    server = SshServer(tmp_path / "sshd", {"PATH": f"{driver}:/usr/bin:/bin"}).start()
    home.machines_toml.parent.mkdir(parents=True, exist_ok=True)
    home.machines_toml.write_text(
        f'[ssh.box]\nhost = "127.0.0.1"\nport = {server.port}\nidentity = "{server.identity}"\n'
        f'python = "{sys.executable}"\nfolder = "{tmp_path / "there"}"\n'
    )
    flags: Mapping[str, Any] = {"machine": "ssh:box", "accept_host_key": True, "base_model": str(tiny_base)}
    asked = Asked(make_person("ada", talks), {}, flags)
    try:
        for mebibytes, suffices in ((100, False), (24_576, True)):
            (driver / "nvidia-smi").write_text(f"#!/bin/sh\necho 'GPU-a, {mebibytes}'\n")
            (driver / "nvidia-smi").chmod(0o755)
            if suffices:
                plan(home, asked, FULL)
            else:
                with pytest.raises(MachineFault, match=r"127\.0\.0\.1 is too small .* its GPU has 0\.1"):
                    plan(home, asked, FULL)
    finally:
        server.stop()
    assert list((tmp_path / "there").iterdir()) == []
