"""Jobs on rented pods: the stand-in's pods are real ssh servers, in which the real job trains."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from idiolect.errors import IdiolectError, MachineFault, RunFailed, UserFault
from idiolect.machines import train_here
from idiolect.machines.leases import billed, read_lease
from idiolect.machines.pods import Renting, reap, rent
from idiolect.machines.rented import end_rented, train_rented
from idiolect.machines.runpod_calls import Account, NoCapacity
from idiolect.machines.ssh import Errand
from idiolect.training import Event, Note, Stepped, decode
from tests.machines.conftest import MakeJob, weights
from tests.machines.killed import POINTS, errand_at, renting_at
from tests.machines.runpod_server import KEY, RunPodServer
from tests.machines.ssh_server import SSHD

pytestmark = pytest.mark.skipif(SSHD is None, reason="there is no OpenSSH server (Debian: openssh-server)")


@pytest.fixture
def runpod(tmp_path: Path) -> Iterator[RunPodServer]:
    folder = tmp_path / "runpod"
    folder.mkdir()
    server = RunPodServer(folder).start()
    yield server
    server.stop()


@pytest.fixture
def renting(runpod: RunPodServer, tmp_path: Path) -> Renting:
    return renting_at(runpod.url, tmp_path)


def said(told: list[Event]) -> list[str]:
    return [e.text for e in told if isinstance(e, Note)]


@pytest.mark.slow
def test_a_job_on_a_pod_ends_with_the_same_weights_and_no_pod(
    runpod: RunPodServer, renting: Renting, make_job: MakeJob, tiny_base: Path, tmp_path: Path
) -> None:
    here, away = make_job("here", 1), make_job("away", 1)
    train_here(here, tiny_base, tmp_path / "log", lambda _: None)
    told: list[Event] = []
    train_rented(renting, Errand(away, tiny_base, "job"), told.append)
    assert weights(away) == weights(here)
    assert not runpod.pods
    assert not any(renting.leases.iterdir())
    assert said(told)[0] == "Rented GPU A (SECURE) for 0.50 $/h."
    assert "The pod is given back; it cost" in said(told)[-1]
    pod = tmp_path / "runpod"
    for file in (*pod.rglob("*"), *away.rglob("*")):
        assert not file.is_file() or KEY.encode() not in file.read_bytes(), file


@pytest.mark.parametrize(
    "fault",
    [
        *("400", "429", "500", "500 that made it", "dies", "no driver"),
        *(pytest.param(fault, marks=pytest.mark.slow) for fault in ("stale port", "other GPU")),
    ],
)
def test_what_may_pass_is_tried_again(runpod: RunPodServer, renting: Renting, fault: str) -> None:
    runpod.faults.append(fault)
    lease = rent(renting, "job", lambda _: None)
    assert [p.told()["name"] for p in runpod.pods.values()] == [lease.name]
    used = "GPU B" if fault in ("400", "dies", "other GPU", "no driver") else "GPU A"
    assert runpod.pods[lease.pod].asked["gpu"]["id"] == used


@pytest.mark.slow
def test_a_pod_that_never_gets_its_port_is_given_back(
    runpod: RunPodServer, renting: Renting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("idiolect.machines.pods._READY_SECONDS", 0.5)
    runpod.faults.extend(["no port", "no port"])
    with pytest.raises(MachineFault, match="cannot be reached"):
        rent(renting, "job", lambda _: None)
    assert [call.split("/")[0] for call in runpod.calls].count("DELETE ") == 2
    assert not runpod.pods


@pytest.mark.slow
def test_a_template_takes_the_place_of_an_image(runpod: RunPodServer, tmp_path: Path) -> None:
    lease = rent(renting_at(runpod.url, tmp_path, template="mine"), "job", lambda _: None)
    asked = runpod.pods[lease.pod].asked
    assert asked["templateId"] == "mine"
    assert "image" not in asked


@pytest.mark.parametrize(("fault", "kind"), [("402", UserFault), ("422", UserFault)])
def test_what_will_not_pass_is_said_at_once(
    runpod: RunPodServer, renting: Renting, fault: str, kind: type[IdiolectError]
) -> None:
    runpod.faults.append(fault)
    with pytest.raises(kind) as refused:
        rent(renting, "job", lambda _: None)
    assert KEY not in str(refused.value)
    assert not runpod.pods


def test_no_capacity_anywhere_and_no_price_low_enough(runpod: RunPodServer, renting: Renting, tmp_path: Path) -> None:
    runpod.faults.extend(["400", "400"])
    with pytest.raises(NoCapacity, match="no longer any instances"):
        rent(renting, "job", lambda _: None)
    with pytest.raises(MachineFault, match=r"at 0\.10 .* or less: GPU A 0\.50"):
        rent(renting_at(runpod.url, tmp_path, max_price_per_hour=0.1), "job", lambda _: None)
    with pytest.raises(UserFault, match="refuses the API key"):
        rent(Renting(Account("wrong", runpod.url), renting.wishes, renting.leases), "job", lambda _: None)
    assert not runpod.pods


@pytest.mark.slow
def test_a_pod_whose_host_key_its_log_does_not_name_is_given_back(
    runpod: RunPodServer, renting: Renting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("idiolect.machines.pods._READY_SECONDS", 3)
    runpod.wrong_fingerprints = True
    with pytest.raises(MachineFault, match="cannot be reached"):
        rent(renting, "job", lambda _: None)
    assert not runpod.pods


@pytest.mark.slow
def test_a_pod_that_is_lost_is_replaced_and_nothing_is_learned_twice(
    runpod: RunPodServer, renting: Renting, make_job: MakeJob, tiny_base: Path, tmp_path: Path
) -> None:
    here, away = make_job("here", 20, 200), make_job("away", 20, 200)
    train_here(here, tiny_base, tmp_path / "log", lambda _: None)
    told: list[Event] = []
    ended: list[str] = []

    def listen(event: Event) -> None:
        told.append(event)
        if isinstance(event, Stepped) and not ended and list((away / "checkpoints").glob("checkpoint-*")):
            for pod in runpod.pods.values():
                pod.end()
                ended.append(pod.id)

    train_rented(renting, Errand(away, tiny_base, "job"), listen)
    assert any("Another one is rented." in text for text in said(told))
    assert any(text.startswith("Going on from checkpoint-") for text in said(told))
    assert weights(away) == weights(here)
    assert not runpod.pods


@pytest.mark.slow
@pytest.mark.parametrize(
    "ceiling",
    [
        ({"max_cost": 0.5 * 20 / 3600}, r"\$ are spent, and max_cost is"),
        ({"max_hours": 80 / 3600, "spare_seconds": 60.0}, r"max_hours \(.*\) are over"),
    ],
    ids=["cost", "deadline"],
)
def test_a_ceiling_ends_it_with_the_checkpoint_here(
    runpod: RunPodServer, make_job: MakeJob, tiny_base: Path, tmp_path: Path, ceiling: tuple[dict[str, float], str]
) -> None:
    wished, said = ceiling
    renting = renting_at(runpod.url, tmp_path, **wished)
    make_job("away", 600, 200)
    errand = errand_at(tmp_path, tiny_base)
    with pytest.raises(RunFailed, match=said):
        train_rented(renting, errand, lambda _: None)
    assert list((errand.bundle / "checkpoints").glob("checkpoint-*/trainer_state.json"))
    assert not runpod.pods
    assert (billed(tmp_path / "bills") or 0) > 0


@pytest.mark.slow
def test_killed_anywhere_and_gone_on_with_it_leaves_no_pod_and_learns_nothing_twice(
    runpod: RunPodServer, make_job: MakeJob, tiny_base: Path, tmp_path: Path
) -> None:
    here, away = make_job("here", 20, 200), make_job("away", 20, 200)
    train_here(here, tiny_base, tmp_path / "log", lambda _: None)
    seen = tmp_path / "seen"
    words = [sys.executable, "-m", "tests.machines.killed", runpod.url, *map(str, (tmp_path, tiny_base, seen))]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert set(seen.read_text().splitlines()) == set(POINTS)
    assert weights(away) == weights(here)
    steps = [e.step for e in decode((away / "events.jsonl").read_bytes()) if isinstance(e, Stepped)]
    assert steps == list(range(1, len(steps) + 1))
    assert not runpod.pods
    assert not any((tmp_path / "leases").iterdir())
    assert not (tmp_path / "there" / "jobs" / "job").exists()


@pytest.mark.slow
def test_left_alone_a_pod_ends_itself_at_its_deadline(runpod: RunPodServer, tmp_path: Path) -> None:
    soon = renting_at(runpod.url, tmp_path, max_hours=12 / 3600)
    lease = rent(soon, "left", lambda _: None)
    assert lease.pod in runpod.pods
    until = time.monotonic() + 120
    while runpod.pods and time.monotonic() < until:
        time.sleep(0.5)
    assert not runpod.pods


@pytest.mark.slow
def test_a_pod_that_shows_another_host_key_is_not_entered_and_given_back(
    runpod: RunPodServer, renting: Renting, make_job: MakeJob, tiny_base: Path, tmp_path: Path
) -> None:
    make_job("away", 1)
    rent(renting, "job", lambda _: None)
    other = tmp_path / "other"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(other)], check=True)
    pinned = renting.known_hosts("job")
    where, *_ = pinned.read_text().split()
    pinned.write_text(f"{where} {other.with_suffix('.pub').read_text()}")
    with pytest.raises(MachineFault, match="does not show the host key that is known"):
        train_rented(renting, errand_at(tmp_path, tiny_base), lambda _: None)
    assert not runpod.pods
    assert not (tmp_path / "there").exists()


def test_what_is_cancelled_is_given_back_and_what_never_was_rented_is_not_asked_for(
    runpod: RunPodServer, renting: Renting, make_job: MakeJob, tiny_base: Path, tmp_path: Path
) -> None:
    make_job("away", 1)
    errand = errand_at(tmp_path, tiny_base)
    assert end_rented(renting, errand) == ""
    assert runpod.calls == []
    rent(renting, "job", lambda _: None, errand.bills)
    assert end_rented(renting, errand).startswith("The pod is given back; it cost 0.0")
    assert not runpod.pods
    assert billed(tmp_path / "bills") is not None


def test_pods_of_ended_jobs_are_reaped_and_others_are_not(runpod: RunPodServer, renting: Renting) -> None:
    ended, going, foreign = (rent(renting, job, lambda _: None) for job in ("ended", "going", "foreign"))
    subprocess.run(["rm", "-r", str(renting.leases / "foreign")], check=True)  # rented by another computer
    assert [p.id for p in reap(renting, lambda job: job == "going")] == [ended.pod]
    assert set(runpod.pods) == {going.pod, foreign.pod}
    assert read_lease(renting.lease_file("ended")) is None
    assert read_lease(renting.lease_file("going")) == going
