"""Promise: a pod is given back by its id, its lease stays until it is gone, ceilings hold from the first second."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from idiolect.errors import IdiolectError, MachineFault, RunFailed, UserFault
from idiolect.machines import runpod_api, runpod_calls
from idiolect.machines.leases import read_lease
from idiolect.machines.pods import Renting, give_back, reap, rent
from idiolect.machines.rented import train_rented
from idiolect.machines.runpod_calls import Account
from tests.hostile.cases import cases
from tests.hostile.odd_runpod import Oddity, OddRunPod, first, says, trickles, trickling_headers
from tests.machines.conftest import MakeJob, make_job
from tests.machines.killed import errand_at, renting_at
from tests.machines.runpod_server import KEY
from tests.machines.ssh_server import SSHD

pytestmark = pytest.mark.skipif(SSHD is None, reason="there is no OpenSSH server (Debian: openssh-server)")

__all__ = ["make_job"]


@pytest.fixture
def runpod(tmp_path: Path) -> Iterator[OddRunPod]:
    (tmp_path / "runpod").mkdir()
    server = OddRunPod(tmp_path / "runpod").start()
    assert isinstance(server, OddRunPod)
    yield server
    server.stop()


@pytest.fixture
def renting(runpod: OddRunPod, tmp_path: Path) -> Renting:
    return renting_at(runpod.url, tmp_path)


@pytest.fixture(autouse=True)
def short_deadlines(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let what is thirty seconds for people be less than one here."""
    monkeypatch.setattr(runpod_api, "_LOOKS", 3)
    monkeypatch.setattr(runpod_calls, "TIMEOUT_SECONDS", 0.7)
    monkeypatch.setattr(runpod_calls, "_TRIES", 2)
    monkeypatch.setattr(runpod_api, "_LOG_SECONDS", 1.0)


def hidden(runpod: OddRunPod, name: str | None) -> Oddity:
    """Show none of our pods in the list, or show them under another name."""

    def answer(request: BaseHTTPRequestHandler) -> bool:
        pods = [p.told() | {"name": name} for p in runpod.pods.values()] if name else []
        return says(200, {"pods": pods})(request)

    return answer


@pytest.mark.parametrize("name", [None, "renamed in the console"], ids=["a list that lags", "renamed"])
def test_a_pod_that_the_list_does_not_name_is_given_back_by_its_id(
    runpod: OddRunPod, renting: Renting, name: str | None
) -> None:
    rent(renting, "job", lambda _: None)
    runpod.odd["GET /v2/pods"] = hidden(runpod, name)
    give_back(renting, "job")
    assert not runpod.pods
    assert read_lease(renting.lease_file("job")) is None


def test_a_pod_that_is_never_ready_is_given_back_though_the_list_lags(
    runpod: OddRunPod, renting: Renting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("idiolect.machines.pods._READY_SECONDS", 0.5)
    runpod.faults.extend(["no port", "no port"])
    runpod.odd["GET /v2/pods"] = hidden(runpod, None)
    with pytest.raises(MachineFault, match="cannot be reached"):
        rent(renting, "job", lambda _: None)
    assert not runpod.pods


def test_the_lease_stays_while_the_pod_does(runpod: OddRunPod, renting: Renting) -> None:
    lease = rent(renting, "job", lambda _: None)
    runpod.odd["DELETE pod"] = says(204)  # taken, and not done
    with pytest.raises(MachineFault, match=f"{lease.pod} was told to end, and is still there"):
        give_back(renting, "job")
    assert read_lease(renting.lease_file("job")) == lease
    with pytest.raises(MachineFault, match="still there"):
        list(reap(renting, lambda _: False))
    runpod.odd.clear()
    assert [pod.id for pod in reap(renting, lambda _: False)] == [lease.pod]
    assert not runpod.pods
    assert not any(renting.leases.iterdir())


STRANGERS: dict[str, Any] = {
    "no name": {"id": "x1", "name": None, "status": "RUNNING", "cost": 1},
    "no status": {"id": "x2", "name": "a"},
    "an odd price": {"id": "x3", "name": "b", "status": "RUNNING", "cost": "n/a"},
    "an odd port": {"id": "x4", "name": "c", "status": "RUNNING", "ssh": {"direct": {"host": "h", "port": "abc"}}},
    "no id": {"name": "d"},
    "a number": 5,
    "null": None,
    "a list": [[]],
    "an odd gpu": {"id": "x5", "name": "e", "gpu": [1], "ssh": 3},
    "an id that is a path": {"id": "../../v2/pods", "name": "f"},
}


@pytest.mark.parametrize("stranger", cases({"all of them": list(STRANGERS.values()), **STRANGERS}, 1))
def test_a_strangers_odd_entry_changes_nothing(runpod: OddRunPod, renting: Renting, stranger: Any) -> None:
    lease = rent(renting, "job", lambda _: None)
    runpod.extra_pods = stranger if isinstance(stranger, list) and len(stranger) > 1 else [stranger]
    assert [pod.id for pod in reap(renting, lambda _: False)] == [lease.pod]
    assert not runpod.pods


ODD_ANSWERS: dict[str, Oddity] = {
    "a page for people": says(200, "<html>Sign in</html>"),
    "nothing": says(200, ""),
    "null": says(200),
    "an empty object": says(200, {}),
    "a list": says(200, []),
    "pods that are none": says(200, {"pods": 5, "gpus": "x", "id": 7}),
    "nested without end": says(200, "[" * 100_000),
    "errors that are no list": says(500, {"detail": None, "errors": 5}),
    "too many for ever": says(429, {}),
    "a cursor that repeats": says(200, {"pods": [], "pagination": {"nextCursor": "again"}}),
    "trickling": trickles(b" ", 0.2),
    "trickling headers": trickling_headers,
    "a flood": trickles(b" " * 1_000_000, 0.0),
}


@pytest.mark.parametrize("odd", cases(ODD_ANSWERS, 3))
@pytest.mark.parametrize(
    "where",
    [
        "GET /v2/pods",
        *(pytest.param(w, marks=pytest.mark.slow) for w in ("POST /v2/pods", "GET pod", "GET /v2/catalog/gpus")),
    ],
)
def test_an_odd_answer_is_an_error_of_ours_in_good_time_and_no_pod_is_left(
    runpod: OddRunPod, renting: Renting, where: str, odd: Oddity
) -> None:
    runpod.odd[where] = odd
    began = time.monotonic()
    if where == "GET /v2/pods":
        give_back_after_renting(runpod, renting, odd)
    else:
        with pytest.raises(IdiolectError) as told:
            rent(renting, "job", lambda _: None)
        assert KEY not in str(told.value)
    assert time.monotonic() - began < 40
    runpod.odd.clear()
    list(reap(renting, lambda _: False))
    assert not runpod.pods


def give_back_after_renting(runpod: OddRunPod, renting: Renting, odd: Oddity) -> None:
    """The list is odd all the while; what we have rented has its id."""
    rent(renting, "job", lambda _: None)
    give_back(renting, "job")
    assert not runpod.pods


WAITS: dict[str, Callable[[], str]] = {
    "seconds": lambda: "7",
    "a date": lambda: formatdate(time.time() + 7, usegmt=True),
    "a date that has passed": lambda: formatdate(0, usegmt=True),
    "negative": lambda: "-5",
    "no number": lambda: "nan",
    "for ever": lambda: "1e99",
    "a very long time": lambda: "999999999",
    "a word": lambda: "soon",
}


@pytest.mark.parametrize("wait", cases(WAITS, 3))
def test_a_server_that_wants_us_to_wait_is_waited_for_and_never_longer_than_a_minute(
    runpod: OddRunPod, wait: Callable[[], str]
) -> None:
    waited: list[float] = []
    runpod.odd["GET /v2/pods"] = first(1, says(429, {}, Retry_After=wait()))
    assert list(runpod_api.all_pods(Account(KEY, runpod.url, waited.append))) == []
    assert len(waited) == 1
    assert 0 <= waited[0] <= 60
    assert wait() != "7" or waited == [7]


@pytest.mark.slow
def test_a_log_that_never_pauses_ends(runpod: OddRunPod, renting: Renting, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("idiolect.machines.pods._READY_SECONDS", 1)
    runpod.odd["logs"] = trickles(b": ping\n\n", 0.2, "text/event-stream")
    began = time.monotonic()
    with pytest.raises(MachineFault, match="cannot be reached"):
        rent(renting, "job", lambda _: None)
    assert time.monotonic() - began < 30
    assert not runpod.pods


def test_a_pod_that_costs_more_than_was_offered_is_not_kept(runpod: OddRunPod, renting: Renting) -> None:
    def dear(request: BaseHTTPRequestHandler) -> bool:
        pod = next(iter(runpod.pods.values()), None)
        return pod is not None and says(200, pod.told() | {"cost": 50.0})(request)

    runpod.odd["GET pod"] = dear
    with pytest.raises(MachineFault, match=r"costs 50\.00 \$/h"):
        rent(renting, "job", lambda _: None)
    assert not runpod.pods


def test_a_pod_made_by_a_create_that_failed_is_found_though_the_list_lags(runpod: OddRunPod, renting: Renting) -> None:
    runpod.faults.append("500 that made it")
    runpod.odd["GET /v2/pods"] = first(2, says(200, {"pods": []}))
    lease = rent(renting, "job", lambda _: None)
    assert list(runpod.pods) == [lease.pod]


@pytest.mark.slow
def test_a_hanging_driver_is_not_waited_for(
    runpod: OddRunPod, renting: Renting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("idiolect.machines.ssh.HARDWARE_SECONDS", 2)
    _in_each_pod(runpod, monkeypatch, "nvidia-smi", "#!/bin/sh\nsleep 600\n")
    began = time.monotonic()
    with pytest.raises(MachineFault, match="GPU of the pod does not answer"):
        rent(renting, "job", lambda _: None)
    assert time.monotonic() - began < 40
    assert not runpod.pods


def _in_each_pod(runpod: OddRunPod, monkeypatch: pytest.MonkeyPatch, program: str, script: str) -> None:
    begin = runpod._begin

    def begun(body: dict[str, Any]) -> Any:
        pod = begin(body)
        (pod.folder / "bin" / program).write_text(script)
        (pod.folder / "bin" / program).chmod(0o755)
        return pod

    monkeypatch.setattr(runpod, "_begin", begun)


@pytest.mark.parametrize(
    "wished", [{"max_cost": 0.0005}, {"max_hours": 9 / 3600, "spare_seconds": 4.0}], ids=["cost", "hours"]
)
def test_a_ceiling_holds_before_training_is_followed(
    runpod: OddRunPod, make_job: MakeJob, tiny_base: Path, tmp_path: Path, wished: dict[str, float]
) -> None:
    """The pod's Python hangs; at 0.50 $ an hour, 0.0005 $ are gone in four seconds."""
    hanging = tmp_path / "hanging"
    hanging.write_text("#!/bin/sh\nsleep 600\n")
    hanging.chmod(0o755)
    renting = renting_at(runpod.url, tmp_path, **wished)
    renting = Renting(renting.account, renting.wishes.model_copy(update={"python": str(hanging)}), renting.leases)
    make_job("away", 1)
    began = time.monotonic()
    with pytest.raises(RunFailed, match=r"are spent, and max_cost|max_hours .* are over"):
        train_rented(renting, errand_at(tmp_path, tiny_base), lambda _: None)
    assert time.monotonic() - began < 30
    assert not runpod.pods
    assert not any(renting.leases.iterdir())


def test_a_key_that_is_refused_leaves_the_lease(runpod: OddRunPod, renting: Renting) -> None:
    lease = rent(renting, "job", lambda _: None)
    other = Renting(Account("another", runpod.url), renting.wishes, renting.leases)
    with pytest.raises(UserFault, match="refuses the API key"):
        list(reap(other, lambda _: False))
    assert read_lease(renting.lease_file("job")) == lease
    list(reap(renting, lambda _: False))
    assert not runpod.pods


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff" * 9, b"[" * 100_000], ids=["empty", "{}", "bytes", "deep"])
def test_a_lease_that_is_damaged_keeps_no_other_pod(runpod: OddRunPod, renting: Renting, content: bytes) -> None:
    damaged, sound = (rent(renting, job, lambda _: None) for job in ("damaged", "sound"))
    renting.lease_file("damaged").write_bytes(content)
    os.mkfifo(renting.leases / "stray")
    assert {pod.id for pod in reap(renting, lambda _: False)} == {damaged.pod, sound.pod}
    assert not runpod.pods


def test_a_bill_that_is_damaged_is_no_obstacle(tmp_path: Path) -> None:
    from idiolect.machines import billed

    for name, content in {"a": json.dumps({"pod": "a", "seconds": 1, "dollars": 2}), "b": "{", "c": ""}.items():
        (tmp_path / f"{name}.json").write_text(content)
    assert billed(tmp_path) == 2
