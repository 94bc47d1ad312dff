"""A job on a real Ray cluster: two nodes on loopback, two workers over gloo, one of which is killed half-way."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from idiolect.errors import MachineFault
from idiolect.export import Order, export_gguf, made_gguf, write_order
from idiolect.files import sha256, write_text
from idiolect.home import FINE_TUNE, Home
from idiolect.machines import Errand, RayCluster, check_cluster, end_on_ray, train_on_ray
from idiolect.training import Event, HeldOut, Note, Started, Stepped, is_trained, read_result
from idiolect.workflow.cycle import run_cycle
from idiolect.workflow.planning.plan import Asked
from tests.conftest import MakePerson
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

    def nodes(self) -> set[int]:
        """Return the nodes that the workers are on, each as the process that started them."""
        return {int(Path(f"/proc/{p}/stat").read_text().rpartition(")")[2].split()[1]) for p in self.workers()}


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


def assert_same_weights(here: Path, away: Path) -> None:
    import torch
    from safetensors.torch import load_file

    ours, theirs = load_file(here), load_file(away)
    assert ours.keys() == theirs.keys()
    for name, weight in ours.items():
        torch.testing.assert_close(theirs[name], weight, atol=1e-5, rtol=0)


@pytest.mark.slow
@needs_ray
def test_a_worker_is_lost_half_way_and_the_weights_are_those_of_a_training_here(
    running: Running, cluster: RayCluster, make_job: MakeJob, tiny_base: Path
) -> None:
    assert not check_cluster(cluster, "job").begun
    here, away = make_job("here", 10, 200), make_job("away", 10, 200)
    train_as_two(here, tiny_base)
    write_order(away, ORDER)
    told: list[Event] = []
    killed: list[int] = []
    nodes: set[int] = set()

    def listen(event: Event) -> None:
        told.append(event)
        if isinstance(event, Stepped) and not killed and list((away / "checkpoints").glob("checkpoint-*")):
            nodes.update(running.nodes())
            killed.append(running.workers()[0])
            os.kill(killed[0], signal.SIGKILL)

    train_on_ray(cluster, Errand(away, tiny_base, "job", merges=True), listen)
    assert killed
    assert len(nodes) == 2
    started = [e.processes for e in told if isinstance(e, Started)]
    assert len(started) > 1
    assert set(started) == {2}
    notes = [e.text for e in told if isinstance(e, Note)]
    assert any(text.startswith("Going on from checkpoint-") for text in notes)
    assert notes[-1] == "The data set is deleted from its disk."
    assert_same_weights(*(b / "outputs" / "adapter" / "adapter_model.safetensors" for b in (here, away)))
    again = here / "again.gguf"
    adapter = away / "outputs" / "adapter"
    export_gguf(tiny_base, again, "Q4_K_M", adapter=adapter, name="ada", chat_template=CHAT_TEMPLATE)
    made = made_gguf(away, ORDER)
    assert made
    assert sha256(made) == sha256(again)
    assert not any(Path(cluster.folder, "jobs").iterdir())


@pytest.mark.slow
@needs_ray
def test_a_cycle_that_trains_a_whole_model_in_parts_goes_on_when_a_worker_is_lost(  # noqa: PLR0913, PLR0917 - fixtures
    running: Running,
    cluster: RayCluster,
    home: Home,
    make_person: MakePerson,
    talks: list[dict[str, Any]],
    tiny_base: Path,
    tmp_path: Path,
) -> None:
    write_text(home.machines_toml, "[ray.lab]\n" + "".join(f"{k} = {json.dumps(v)}\n" for k, v in cluster))
    person = make_person("ada", talks, base_model=str(tiny_base), num_train_epochs=30, dtype="float32")
    here, told, killed = tmp_path / "here", list[Any](), list[int]()

    def listen(event: Any) -> None:
        told.append(event)
        jobs = Path(cluster.folder, "jobs")
        if isinstance(event, Started) and not here.exists():
            (bundle,) = jobs.glob("*/bundle")
            shutil.copytree(bundle, here, ignore=shutil.ignore_patterns("events.jsonl", "checkpoints"))
        if isinstance(event, Stepped) and not killed and list(jobs.rglob("checkpoint-*/weights-1-of-2.pt")):
            killed.append(running.workers()[0])
            os.kill(killed[0], signal.SIGKILL)

    done = run_cycle(home, Asked(person, {}, {"machine": "ray:lab"}), FINE_TUNE, listen)
    assert killed
    assert any(isinstance(e, Note) and e.text.startswith("Going on from checkpoint-") for e in told)
    outcomes = {step.step: step.outcome for step in done.summary.steps}
    assert outcomes["train"].endswith("The data set is deleted from its disk")
    assert "made there" in outcomes["quantize"]
    assert not any(Path(cluster.folder, "jobs").iterdir())
    train_as_two(here, tiny_base)
    assert read_result(here).processes == 2
    assert_same_weights(here / "outputs" / "model" / "model.safetensors", done.run.model / "model.safetensors")


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
        check_cluster(nobody, "job")
