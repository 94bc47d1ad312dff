"""A job on a real Ray cluster: two nodes on loopback, two workers over gloo, one of which is killed half-way."""

from __future__ import annotations

import importlib.util
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from idiolect.errors import MachineFault
from idiolect.export import Order, export_gguf, made_gguf, write_order
from idiolect.files import sha256
from idiolect.machines import Errand, RayCluster, check_cluster, end_on_ray, train_on_ray
from idiolect.training import Event, HeldOut, Note, Started, Stepped, is_trained, read_result
from tests.machines.conftest import MakeJob
from tests.machines.ssh_server import descendants
from tests.tiny import CHAT_TEMPLATE

needs_ray = pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="Ray is not installed: idiolect[ray]")
ORDER = Order(quantization="Q4_K_M", name="ada", chat_template=CHAT_TEMPLATE, merged=False, imatrix=False)


@dataclass(frozen=True)
class Running:
    """A cluster: the process that holds it, and where its Jobs API answers."""

    process: int
    address: str

    def workers(self) -> list[int]:
        """Return the processes of Ray Train's workers. They write their title over their environment and words."""
        return [p for p in descendants(self.process) if b"RayTrainWorker" in Path(f"/proc/{p}/cmdline").read_bytes()]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    log = tmp_path_factory.mktemp("ray") / "log"
    words = [sys.executable, "-m", "tests.machines.ray_cluster"]
    environ = {**os.environ, "RAY_USAGE_STATS_ENABLED": "0"}
    with (
        log.open("wb") as said,
        subprocess.Popen(words, stdin=-1, stdout=-1, stderr=said, env=environ, text=True) as cluster,
    ):
        assert cluster.stdin
        assert cluster.stdout
        ready = next((line for line in cluster.stdout if line.startswith("ready")), "")
        assert ready, log.read_text()
        yield Running(cluster.pid, ready.split()[1])
        cluster.stdin.close()
        cluster.wait(timeout=120)


@pytest.fixture
def cluster(running: Running, tmp_path: Path) -> RayCluster:
    (tmp_path / "shared").mkdir()
    there = str(tmp_path / "shared")
    return RayCluster(address=running.address, folder=there, workers=2, gpu=False, python=sys.executable, install=False)


def train_as_two(bundle: Path, base: Path) -> None:
    words = [sys.executable, "-m", "idiolect.training", str(bundle), "--base", str(base), "--processes", "2"]
    subprocess.run(words, check=True, capture_output=True)


def assert_same_weights(here: Path, away: Path, file: str) -> None:
    import torch
    from safetensors.torch import load_file

    ours, theirs = (load_file(bundle / "outputs" / file) for bundle in (here, away))
    assert ours.keys() == theirs.keys()
    for name, weight in ours.items():
        torch.testing.assert_close(theirs[name], weight, atol=1e-5, rtol=0)


@pytest.mark.slow
@needs_ray
def test_a_worker_is_lost_half_way_and_the_weights_are_those_of_a_training_here(
    running: Running, cluster: RayCluster, make_job: MakeJob, tiny_base: Path
) -> None:
    check_cluster(cluster)
    here, away = make_job("here", 10, 200), make_job("away", 10, 200)
    train_as_two(here, tiny_base)
    write_order(away, ORDER)
    told: list[Event] = []
    killed: list[int] = []

    def listen(event: Event) -> None:
        told.append(event)
        if isinstance(event, Stepped) and not killed and list((away / "checkpoints").glob("checkpoint-*")):
            killed.append(running.workers()[0])
            os.kill(killed[0], signal.SIGKILL)

    train_on_ray(cluster, Errand(away, tiny_base, "job", merges=True), listen)
    assert killed
    started = [e.processes for e in told if isinstance(e, Started)]
    assert len(started) > 1
    assert set(started) == {2}
    notes = [e.text for e in told if isinstance(e, Note)]
    assert any(text.startswith("Going on from checkpoint-") for text in notes)
    assert notes[-1] == "The data set is deleted from its disk."
    assert_same_weights(here, away, "adapter/adapter_model.safetensors")
    again = here / "again.gguf"
    adapter = away / "outputs" / "adapter"
    export_gguf(tiny_base, again, "Q4_K_M", adapter=adapter, name="ada", chat_template=CHAT_TEMPLATE)
    made = made_gguf(away, ORDER)
    assert made
    assert sha256(made) == sha256(again)
    assert not any(Path(cluster.folder, "jobs").iterdir())


@pytest.mark.slow
@needs_ray
def test_a_whole_model_is_trained_in_parts(cluster: RayCluster, make_job: MakeJob, tiny_base: Path) -> None:
    here, away = (make_job(name, 1, trains="model") for name in ("here", "away"))
    train_as_two(here, tiny_base)
    train_on_ray(cluster, Errand(away, tiny_base, "whole", mirrored=False), lambda _: None)
    assert read_result(away).processes == 2
    assert_same_weights(here, away, "model/model.safetensors")


@pytest.mark.slow
@needs_ray
def test_a_job_that_is_ended_leaves_its_checkpoint_here_and_nothing_there(
    cluster: RayCluster, make_job: MakeJob, tiny_base: Path
) -> None:
    away = make_job("away", 300, 200)
    errand = Errand(away, tiny_base, "other")

    class LaptopIsClosedError(Exception):
        pass

    def listen(event: Event) -> None:
        if isinstance(event, HeldOut) and event.epoch >= 1:
            raise LaptopIsClosedError

    with pytest.raises(LaptopIsClosedError):
        train_on_ray(cluster, errand, listen)
    assert end_on_ray(cluster, errand)
    assert list((away / "checkpoints").glob("checkpoint-*/trainer_state.json"))
    assert not is_trained(away)
    assert not any(Path(cluster.folder, "jobs").iterdir())
    assert not end_on_ray(cluster, errand)


@pytest.mark.slow
@needs_ray
def test_a_cluster_that_is_not_there_is_said(tmp_path: Path) -> None:
    nobody = RayCluster(address="http://127.0.0.1:9", folder=str(tmp_path))
    with pytest.raises(MachineFault, match=r"No Ray cluster answers at http://127\.0\.0\.1:9"):
        check_cluster(nobody)
