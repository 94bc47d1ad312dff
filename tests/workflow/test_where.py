"""The same run on another machine leaves the same files: ssh to this computer, and a stand-in for RunPod."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from idiolect.errors import NeedsConsent, OptionFault, UserFault
from idiolect.files import sha256
from idiolect.home import FULL, Home, Run
from idiolect.training import Note
from idiolect.workflow.cycle import run_cycle
from idiolect.workflow.plan import Asked, plan
from idiolect.workflow.pods import list_pods
from tests.conftest import Event, MakePerson
from tests.machines.runpod_server import KEY, RunPodServer
from tests.machines.ssh_server import SSHD, SshServer

QUICK: dict[str, Any] = {"num_train_epochs": 2, "learning_rate": 1e-2, "warmup_steps": 0, "dtype": "float32"}
needs_sshd = pytest.mark.skipif(SSHD is None, reason="there is no OpenSSH server (Debian: openssh-server)")


@pytest.fixture
def person(make_person: MakePerson, talks: list[Event], tiny_base: Path) -> str:
    return make_person("ada", talks, base_model=str(tiny_base), **QUICK)


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


def contents(run: Run) -> dict[str, str]:
    names = ("adapter/adapter_model.safetensors", "adapter.gguf", "curated_memories.json", "ledger.jsonl")
    return {name: sha256(run.folder / name) for name in names}


@pytest.mark.slow
@needs_sshd
def test_a_run_elsewhere_leaves_the_files_of_one_here(
    home: Home, person: str, tmp_path: Path, runpod: RunPodServer
) -> None:
    server = SshServer(tmp_path / "sshd").start()
    try:
        describe(
            home,
            f'{home.machines_toml.read_text()}[ssh.box]\nhost = "127.0.0.1"\nport = {server.port}\n'
            f'identity = "{server.identity}"\npython = "{sys.executable}"\ninstall = false\n'
            f'folder = "{tmp_path / "box"}"\n',
        )
        here = run_cycle(home, Asked(person, {}, {}), FULL, lambda _: None)
        with pytest.raises(NeedsConsent, match="never met before") as fault:
            run_cycle(home, Asked(person, {}, {"machine": "ssh:box"}), FULL, lambda _: None)
        assert fault.value.flag == "accept_host_key"
        flags = {"machine": "ssh:box", "accept_host_key": True}
        there = run_cycle(home, Asked(person, {}, flags), FULL, lambda _: None)
    finally:
        server.stop()
    with pytest.raises(NeedsConsent, match=r"GPU B first, at 0\.50 \$ an hour: at most 2\.00 \$") as money:
        run_cycle(home, Asked(person, {}, {"machine": "runpod"}), FULL, lambda _: None)
    assert money.value.flag == "yes"
    told: list[Any] = []
    rented = run_cycle(home, Asked(person, {}, {"machine": "runpod", "yes": True}), FULL, told.append)
    assert contents(here.run) == contents(there.run) == contents(rented.run)
    assert any(isinstance(e, Note) and e.text.startswith("The pod is given back") for e in told)
    assert not runpod.pods
    assert list(list_pods(home)) == []
    for file in home.root.rglob("*"):
        assert not file.is_file() or KEY.encode() not in file.read_bytes(), file


def test_a_machine_that_nobody_described_is_refused_by_name(
    home: Home, person: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(machine: str) -> str:
        with pytest.raises((OptionFault, UserFault)) as fault:
            plan(home, Asked(person, {}, {"machine": machine}), FULL)
        return fault.value.problem

    assert "There is no machine 'cloud'" in refused("cloud")
    assert "There is no machine ssh:box in" in refused("ssh:box")
    describe(home, '[ssh.other]\nhost = "x"\n[ssh.box]\nport = 22\n')
    assert "host: Field required" in refused("ssh:box")
    assert "known: ssh:other, ssh:box" in refused("ssh:nosuch")
    describe(home, "[sssh.box]\n")
    assert "unknown tables sssh" in refused("ssh:box")
    describe(home, "[ssh.box\n")
    assert "cannot be read" in refused("ssh:box")
    describe(home, '[runpod]\nclouds = ["MARS"]\n')
    assert "clouds.0" in refused("runpod")
    describe(home, "")
    monkeypatch.delenv("RUNPOD_API_KEY", raising=False)
    assert "wants an API key" in refused("runpod")
