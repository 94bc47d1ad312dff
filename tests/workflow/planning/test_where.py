"""The same run on another machine leaves the same files: ssh to this computer, and a stand-in for RunPod."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from idiolect.dataset import load_chat_template
from idiolect.errors import MachineFault, NeedsConsent, OptionFault, UserFault
from idiolect.export import export_gguf
from idiolect.files import sha256, write_text
from idiolect.home import FINE_TUNE, FULL, Home, Run
from idiolect.machines.pods import rent
from idiolect.serving import Sampling
from idiolect.training import Note
from idiolect.training.gpus import Gpu
from idiolect.workflow.archive.runs import find, overview
from idiolect.workflow.cancel import cancel
from idiolect.workflow.cycle import run_cycle
from idiolect.workflow.planning.plan import Asked, plan
from idiolect.workflow.planning.where import renting
from idiolect.workflow.pods import has_leases, list_pods, reap_pods
from tests.checkout import write_its_fine_tune
from tests.conftest import Event, MakePerson, MakeRun
from tests.machines.runpod_server import KEY, RunPodServer
from tests.machines.ssh_server import SSHD, SshServer
from tests.tiny import write_model, write_tokenizer

QUICK: dict[str, Any] = {"num_train_epochs": 2, "learning_rate": 1e-2, "warmup_steps": 0, "dtype": "float32"}
needs_sshd = pytest.mark.skipif(SSHD is None, reason="there is no OpenSSH server (Debian: openssh-server)")


@pytest.fixture
def person(make_person: MakePerson, talks: list[Event], tiny_base: Path) -> str:
    return make_person("ada", talks, base_model=str(tiny_base), keep_model=True, **QUICK)


@pytest.fixture
def runpod(tmp_path: Path, home: Home, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunPodServer]:
    folder = tmp_path / "runpod"
    folder.mkdir()
    server = RunPodServer(folder).start()
    monkeypatch.setenv("RUNPOD_API_KEY", KEY)
    monkeypatch.setenv("RUNPOD_API_BASE_URL", server.url)
    monkeypatch.setenv("RUNPOD_GPU_TYPE", "GPU B")
    describe(
        home,
        f'[runpod]\nstart = "{folder / "start.sh"}"\npython = "{sys.executable}"\ninstall = false\n'
        f'folder = "{tmp_path / "there"}"\nmax_cost = 2.0\n',
    )
    yield server
    server.stop()


def describe(home: Home, text: str) -> None:
    home.machines_toml.parent.mkdir(parents=True, exist_ok=True)
    home.machines_toml.write_text(text)


def describe_box(home: Home, server: SshServer, folder: Path) -> None:
    describe(
        home,
        f'{home.machines_toml.read_text()}[ssh.box]\nhost = "127.0.0.1"\nport = {server.port}\n'
        f'identity = "{server.identity}"\npython = "{sys.executable}"\ninstall = false\nfolder = "{folder}"\n',
    )


def contents(run: Run) -> dict[str, str]:
    names = ("adapter/adapter_model.safetensors", "adapter.gguf", "curated_memories.json", "ledger.jsonl")
    merged = [str(f.relative_to(run.folder)) for f in sorted(run.model.iterdir())]
    assert "model/model.safetensors" in merged
    return {name: sha256(run.folder / name) for name in (*names, *merged)}


@pytest.mark.slow
@needs_sshd
def test_a_run_elsewhere_leaves_the_files_of_one_here(
    home: Home, person: str, tmp_path: Path, runpod: RunPodServer
) -> None:
    server = SshServer(tmp_path / "sshd").start()
    try:
        describe_box(home, server, tmp_path / "box")
        here = run_cycle(home, Asked(person, {}, {}), FULL, lambda _: None)
        with pytest.raises(NeedsConsent, match="never met before") as fault:
            run_cycle(home, Asked(person, {}, {"machine": "ssh:box"}), FULL, lambda _: None)
        assert fault.value.flag == "accept_host_key"
        flags = {"machine": "ssh:box", "accept_host_key": True}
        forgotten = rent(renting(home), "0123456789abcdef", lambda _: None)
        heard: list[Any] = []
        there = run_cycle(home, Asked(person, {}, flags), FULL, heard.append)
        assert Note(f"Gave back a pod that nobody needed any more: {forgotten.name}.") in heard
        assert not runpod.pods
    finally:
        server.stop()
    outcomes = {step.step: step.outcome for step in there.summary.steps}
    assert outcomes["train"].endswith("adapter/. The data set is deleted from 127.0.0.1")
    assert "made there" in outcomes["quantize"]
    told: list[Any] = []
    flags = {"machine": "runpod", "yes": True, "merge": "local"}
    rented = run_cycle(home, Asked(person, {}, flags), FULL, told.append)
    outcomes = {step.step: step.outcome for step in rented.summary.steps}
    assert re.search(r"deleted from 127\.0\.0\.1\. The pod is given back; it cost \d\.\d\d \$$", outcomes["train"])
    assert "made there" not in outcomes["quantize"]
    assert contents(here.run) == contents(there.run) == contents(rented.run)
    assert any(isinstance(e, Note) and e.text.startswith("The pod is given back") for e in told)
    assert 0 < rented.summary.cost_dollars < 0.5
    assert [r.dollars for r in overview(home)] == [0.0, 0.0, rented.summary.cost_dollars]
    assert not runpod.pods
    assert list(list_pods()) == []
    for file in home.root.rglob("*"):
        assert not file.is_file() or KEY.encode() not in file.read_bytes(), file


@pytest.mark.slow
@needs_sshd
def test_what_cannot_be_merged_there_is_merged_here(home: Home, person: str, tmp_path: Path) -> None:
    # No file there may be as large as the model file; those that are sent, and what training writes, are smaller.
    base = write_model(tmp_path / "base", "Llama", num_hidden_layers=2, max_shard_size="1MB")
    write_tokenizer(base)
    server = SshServer(tmp_path / "sshd", most_bytes=2_200_000).start()
    told: list[Any] = []
    try:
        describe(home, "")
        describe_box(home, server, tmp_path / "box")
        flags = {"machine": "ssh:box", "accept_host_key": True, "base_model": str(base), "quantization": "F16"}
        done = run_cycle(home, Asked(person, {}, flags), FULL, told.append)
    finally:
        server.stop()
    notes = [e.text for e in told if isinstance(e, Note)]
    assert "Merging and quantizing here: F16." in notes
    deleted, fallen_back = notes[-2:]
    assert deleted == "The data set is deleted from 127.0.0.1."
    assert fallen_back.startswith("127.0.0.1 trained, and could not merge (The disk became full while ")
    assert fallen_back.endswith(": that is done here.")
    assert not list((tmp_path / "box").glob("jobs/*"))
    outcomes = {step.step: step.outcome for step in done.summary.steps}
    assert "there" not in outcomes["merge"] + outcomes["quantize"]
    again = tmp_path / "again.gguf"
    asked = load_chat_template(base).source
    keys = Sampling().gguf_keys()
    export_gguf(base, again, "F16", adapter=done.run.weights, name=person, chat_template=asked, keys=keys)
    assert sha256(done.run.gguf) == sha256(again)


def consent(home: Home, person: str, **flags: Any) -> str:
    with pytest.raises((NeedsConsent, MachineFault)) as asked:
        plan(home, Asked(person, {}, {"machine": "runpod", **flags}), FULL)
    return str(asked.value)


def test_before_money_is_spent_all_that_it_will_take_is_shown(
    home: Home, person: str, runpod: RunPodServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = consent(home, person)
    assert "GPU B first, at 0.50 $ an hour. How long it takes is not known of this GPU or model." in said
    assert "At most 2.00 $ and 12 hours." in said
    monkeypatch.setenv("RUNPOD_GPU_TYPE", "NVIDIA GeForce RTX 4090")
    said = consent(home, person)
    # Five minutes to start, at half a dollar an hour; the tiny model itself takes no time.
    assert re.search(r"Estimated: \d\.\d of its 24 GiB, 5 minutes, 0\.04 \$\.", said), said
    assert plan(home, Asked(person, {}, {"machine": "runpod", "yes": True}), FULL).machine.merges
    monkeypatch.setenv("RUNPOD_GPU_TYPE_FULL", "GPU A")
    with pytest.raises(NeedsConsent, match="GPU A first"):
        plan(home, Asked(person, {}, {"machine": "runpod"}), FINE_TUNE)
    monkeypatch.setenv("RUNPOD_TEMPLATE_ID", "mine")
    assert renting(home).wishes.template == "mine"
    assert not runpod.pods


def test_a_gpu_that_is_too_small_is_refused_with_what_would_fit(
    home: Home, person: str, runpod: RunPodServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUNPOD_GPU_TYPE", "NVIDIA GeForce RTX 4090")
    small = (Gpu("RTX 4090", 0.5, 165, 0.65),)
    monkeypatch.setattr("idiolect.training.planner.GPUS", small)
    said = consent(home, person, yes=True)
    assert "NVIDIA GeForce RTX 4090 is too small for this: it would take" in said
    assert "of its 0 GiB" in said or "of its 1 GiB" in said
    assert not runpod.pods


@needs_sshd
def test_a_slip_in_machines_toml_keeps_nothing_rented(home: Home, runpod: RunPodServer) -> None:
    lease = rent(renting(home), "0123456789abcdef", lambda _: None)
    describe(home, "[runpod]\nmax_cots = 1\n")
    with pytest.raises(OptionFault, match="max_cots"):
        renting(home)
    assert [pod.id for pod in list_pods()] == [lease.pod]
    assert [pod.id for pod in reap_pods(home)] == [lease.pod]
    assert not runpod.pods


@needs_sshd
def test_runs_that_cannot_be_read_keep_nothing_rented(
    home: Home, runpod: RunPodServer, make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RUNPOD_API_KEY")
    write_text(home.dotenv, f"RUNPOD_API_KEY={KEY}\n")  # where MetaHuman OS keeps it
    make_run("2026-10-01").summary.write_text("{")
    write_its_fine_tune(home.profile("ada"), "2025-11-22-100000-00aa11", {})
    lease = rent(renting(home), "0123456789abcdef", lambda _: None)
    assert has_leases(home)
    assert [pod.id for pod in reap_pods(home)] == [lease.pod]
    assert not runpod.pods


@pytest.mark.slow
@needs_sshd
def test_two_people_rent_at_once_and_both_pods_are_given_back(home: Home, person: str, runpod: RunPodServer) -> None:
    people = (person, "bob")
    shutil.copytree(home.profile(person).root, home.profile("bob").root)
    words = [sys.executable, "-m", "idiolect", "full-cycle", "--home", str(home.root), "--machine", "runpod", "--yes"]
    both = [subprocess.Popen([*words, "-u", p], stdout=-1, stderr=subprocess.STDOUT, text=True) for p in people]
    said = [run.communicate()[0] for run in both]
    assert [run.returncode for run in both] == [0, 0], "\n".join(said)
    assert len({call for call in runpod.calls if call.startswith("DELETE")}) == 2
    assert not runpod.pods
    assert list(list_pods()) == []
    rows = overview(home)
    assert [r.state for r in rows] == ["succeeded", "succeeded"]
    assert all(row.dollars for row in rows)
    assert not any("Another one is rented" in text for text in said)


@pytest.mark.slow
@needs_sshd
@pytest.mark.parametrize("machine", ["ssh:box", "runpod"])
def test_a_cancelled_run_goes_on_nowhere_and_nothing_of_it_is_there(
    home: Home, person: str, tmp_path: Path, runpod: RunPodServer, machine: str
) -> None:
    server = SshServer(tmp_path / "sshd").start()
    try:
        describe_box(home, server, tmp_path / "box")
        words = [sys.executable, "-m", "idiolect", "full-cycle", "--home", str(home.root), "--machine", machine]
        words += ["--yes", "--accept-host-key", "--num-train-epochs", "500", "-u", person]
        running = subprocess.Popen(words, stdout=-1, stderr=subprocess.STDOUT, text=True)
        assert running.stdout
        next(line for line in running.stdout if "step " in line)
        (row,) = overview(home)
        profile, run = find(home, row.label)
        outcome = cancel(profile, run)
        said, _ = running.communicate()
    finally:
        server.stop()
    assert running.returncode
    assert ("The pod is given back; it cost" in said) == (machine == "runpod")
    assert ("The data set is deleted from 127.0.0.1." in outcome) == (machine == "ssh:box")
    assert not runpod.pods
    assert not list((tmp_path / ("box" if machine == "ssh:box" else "there")).glob("jobs/*"))
    assert [r.state for r in overview(home)] == ["cancelled"]
    assert bool(overview(home)[0].dollars) == (machine == "runpod")


def test_a_machine_that_nobody_described_is_refused_by_name(
    home: Home, person: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(machine: str) -> str:
        with pytest.raises((OptionFault, UserFault)) as fault:
            plan(home, Asked(person, {}, {"machine": machine}), FULL)
        return fault.value.problem

    assert "There is no machine 'cloud'" in refused("cloud")
    assert "There is no machine ssh:box in" in refused("ssh:box")
    describe(home, '[ssh.other]\nhost = "x"\n')
    assert "known: ssh:other." in refused("ssh:nosuch")
    describe(home, '[ray.other]\naddress = "http://head:8265"\nfolder = "/shared"\n')
    assert "There is no machine ray:lab in" in refused("ray:lab")
    describe(home, "")
    monkeypatch.delenv("RUNPOD_API_KEY", raising=False)
    assert "wants an API key" in refused("runpod")


def test_all_that_is_wrong_with_the_machines_is_said_at_once(home: Home, person: str) -> None:
    describe(
        home,
        '[ssh.box]\nport = 99999\nfoldr = "x"\n[ssh.fine]\nhost = "x"\n[ray.lab]\naddress = "http://head:8265"\n'
        '[runpod]\nclouds = ["MARS"]\nmax_costs = 3\n[sssh.box]\n[ssh]\nbare = 1\n',
    )
    own = home.profile(person).machines_toml
    own.parent.mkdir(parents=True, exist_ok=True)
    own.write_text("[runpod]\nmax_hours = 0\n[runpod]\n")
    with pytest.raises(OptionFault) as fault:
        plan(home, Asked(person, {}, {"machine": "ssh:fine"}), FULL)
    said = fault.value.problem
    assert f"{own} cannot be read as TOML" in said
    own.write_text("[runpod]\nmax_hours = 0\n")
    with pytest.raises(OptionFault) as fault:
        plan(home, Asked(person, {}, {"machine": "ssh:fine"}), FULL)
    for wrong in (
        f"{home.machines_toml}: unknown table 'sssh'",
        "[ssh.box] host: Field required",
        "[ssh.box] port: Input should be less than or equal to 65535",
        "[ssh.box] unknown key 'foldr' (did you mean 'folder'?)",
        "[ssh.bare] is no table",
        "[ray.lab] folder: Field required",
        "[runpod] clouds.0: Input should be 'SECURE' or 'COMMUNITY'",
        "[runpod] max_hours: Input should be greater than 0",
        "[runpod] unknown key 'max_costs' (did you mean 'max_cost'?)",
    ):
        assert wrong in fault.value.problem, wrong
    assert str(own) in fault.value.remedy
