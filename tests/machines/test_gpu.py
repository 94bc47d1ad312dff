"""One run at a time on a GPU, with a stand-in for nvidia-smi: no GPU is needed to hold its lock."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from idiolect.machines.gpu import gpus, own_gpus
from idiolect.training import Event, Note

HOLD = """
import time
from idiolect.machines.gpu import own_gpus
with own_gpus(print) as environ:
    print(environ["CUDA_VISIBLE_DEVICES"], flush=True)
    time.sleep(600)
"""


@pytest.fixture
def two_gpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    names = [f"GPU-{tmp_path.name}-{number}" for number in range(2)]
    program = tmp_path / "nvidia-smi"
    program.write_text("#!/bin/sh\n" + "".join(f"echo {name}, 24576\n" for name in names))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    return names


def hold(visible: str) -> tuple[subprocess.Popen[str], str]:
    environ = {**os.environ, "CUDA_VISIBLE_DEVICES": visible}
    holder = subprocess.Popen([sys.executable, "-c", HOLD], stdout=subprocess.PIPE, text=True, env=environ)
    assert holder.stdout
    return holder, holder.stdout.readline().strip()


def test_a_run_has_the_gpus_that_are_free_and_waits_where_none_is(two_gpus: list[str]) -> None:
    first, one = hold("0")
    assert one == two_gpus[0]
    with own_gpus(lambda _: None) as environ:
        assert environ == {"CUDA_VISIBLE_DEVICES": two_gpus[1]}
    second, other = hold("1")
    assert other == two_gpus[1]
    told: list[Event] = []

    def report(event: Event) -> None:
        told.append(event)
        for holder in (first, second):
            holder.kill()
            holder.communicate()

    with own_gpus(report) as environ:
        assert environ == {"CUDA_VISIBLE_DEVICES": ",".join(two_gpus)}
    assert told == [Note("Waiting for a GPU: 2 may be used, and all are in use.")]


@pytest.mark.parametrize(("visible", "expected"), [("1", [1]), ("1,0", [1, 0]), ("", []), ("-1", []), ("7", [])])
def test_cuda_visible_devices_is_heeded(
    two_gpus: list[str], monkeypatch: pytest.MonkeyPatch, visible: str, expected: list[int]
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert list(gpus().items()) == [(two_gpus[number], 24 << 30) for number in expected]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "MIG-abc")
    assert gpus() == {"MIG-abc": 0}


def test_without_a_gpu_there_is_nothing_to_wait_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    told: list[Event] = []
    with own_gpus(told.append) as environ:
        assert (environ, told) == ({}, [])
