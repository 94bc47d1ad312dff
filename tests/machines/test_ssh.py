"""A job on another computer: this one, behind a real OpenSSH server on loopback."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from idiolect.errors import MachineFault, RunFailed
from idiolect.files import sha256
from idiolect.machines import of_this_computer, train_here
from idiolect.machines.connection import UnknownHostKey, connected
from idiolect.machines.described import SshBox
from idiolect.machines.ssh import Errand, check, lost, train_there
from idiolect.machines.transfer import Far, fetch_folder, send
from idiolect.training import Event, Moved, Note, Stepped, is_trained
from tests.machines.conftest import MakeJob, weights
from tests.machines.ssh_server import SSHD, SshServer

pytestmark = pytest.mark.skipif(SSHD is None, reason="there is no OpenSSH server (Debian: openssh-server)")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[SshServer]:
    running = SshServer(tmp_path / "sshd").start()
    yield running
    running.stop()


@pytest.fixture
def box(server: SshServer, tmp_path: Path) -> SshBox:
    return box_at(server, tmp_path / "there")


def box_at(server: SshServer, folder: Path) -> SshBox:
    return SshBox(
        host="127.0.0.1",
        port=server.port,
        identity=str(server.identity),
        folder=str(folder),
        python=sys.executable,
        install=False,
    )


@pytest.fixture
def known(box: SshBox, tmp_path: Path) -> Path:
    """A known_hosts file that has the server's key."""
    check(box, tmp_path / "known_hosts", "job", accept=True)
    return tmp_path / "known_hosts"


def test_a_host_never_met_is_shown_and_asked_for(box: SshBox, tmp_path: Path, server: SshServer) -> None:
    known = tmp_path / "etc" / "known_hosts"
    with pytest.raises(UnknownHostKey, match="SHA256:") as fault:
        check(box, known, "job", accept=False)
    shown = subprocess.run(
        ["ssh-keygen", "-l", "-f", str(server.folder / "host_key.pub")], capture_output=True, text=True, check=True
    )
    assert shown.stdout.split()[1] in fault.value.problem
    assert not known.exists()
    assert check(box, known, "job", accept=True).memory == of_this_computer().memory
    assert Path(box.folder).is_dir()
    assert not check(box, known, "job", accept=False).begun
    server.new_host_key()
    with pytest.raises(MachineFault, match="does not show the host key that is known"):
        check(box, known, "job", accept=True)


@pytest.mark.slow
@pytest.mark.parametrize("named_in", ["ssh config", "machines.toml"])
def test_a_name_of_the_ssh_config_and_a_jump_host_are_followed(
    server: SshServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, named_in: str
) -> None:
    jump = "Host *\n ProxyJump hop\n" if named_in == "ssh config" else ""
    hop, known = SshServer(tmp_path / "hop").start(), tmp_path / "known_hosts"
    (tmp_path / "me" / ".ssh").mkdir(parents=True)
    (tmp_path / "me" / ".ssh" / "config").write_text(
        f"Host far\n HostName localhost\n Port {server.port}\n IdentityFile {server.identity}\n"
        f"Host hop\n HostName 127.0.0.1\n Port {hop.port}\n IdentityFile {hop.identity}\n{jump}"
    )
    monkeypatch.setenv("HOME", str(tmp_path / "me"))
    box = SshBox(host="far", jump=None if jump else "hop", folder=str(tmp_path / "there"), python=sys.executable)
    try:
        with pytest.raises(MachineFault, match=r"hop was never met before(.|\n)*ssh hop") as unknown:
            check(box, known, "job", accept=False)
        assert not isinstance(unknown.value, UnknownHostKey)
        assert check(box, known, "job", accept=True).free
        assert [line.split()[0] for line in known.read_text().splitlines()] == [
            f"[127.0.0.1]:{hop.port}",
            f"[localhost]:{server.port}",
        ]
        # Who knows the one on the way is asked about the other alone.
        known.write_text(known.read_text().splitlines()[0])
        with pytest.raises(UnknownHostKey, match="far was never met before"):
            check(box, known, "job", accept=False)
        hop.new_host_key()
        with pytest.raises(MachineFault, match="hop does not show the host key that is known"):
            check(box, known, "job", accept=True)
    finally:
        hop.stop()


def test_what_cannot_be_reached_or_entered_is_said(box: SshBox, known: Path, tmp_path: Path, server: SshServer) -> None:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / "other")], check=True)
    with pytest.raises(MachineFault, match="does not let us in"):
        check(box.model_copy(update={"identity": str(tmp_path / "other")}), known, "job", accept=False)
    with pytest.raises(MachineFault, match="python-none"):
        check(box.model_copy(update={"python": "python-none"}), known, "job", accept=False)
    server.stop()
    with pytest.raises(MachineFault, match="cannot be reached"):
        check(box, known, "job", accept=False)


def test_a_transfer_goes_on_in_the_middle(box: SshBox, known: Path, tmp_path: Path) -> None:
    local, far = tmp_path / "weights.bin", str(tmp_path / "there" / "files" / "weights.bin")
    back = tmp_path / "back" / "weights.bin"
    local.write_bytes(os.urandom(12 << 20))

    async def both_ways() -> tuple[list[int], list[int]]:
        sent: list[int] = []
        got: list[int] = []
        async with connected(box, known) as connection:
            there = Far(connection, sys.executable)
            await send(there, local, far, sent.append)
            await fetch_folder(there, str(Path(far).parent), back.parent, lambda done, _: got.append(done))
        return sent, list(dict.fromkeys(got))

    # The first eight megabytes had arrived, on either side, when the network went away.
    for folder in (Path(far).parent, back.parent):
        folder.mkdir()
    Path(f"{far}.us.partial").write_bytes(local.read_bytes()[: 8 << 20])
    Path(f"{back}.partial").write_bytes(local.read_bytes()[: 8 << 20])
    assert asyncio.run(both_ways()) == ([12 << 20], [12 << 20])
    assert sha256(back) == sha256(local) == sha256(Path(far))
    # What is there already is not sent; what only looks like a beginning is not kept.
    back.unlink()
    Path(f"{back}.partial").write_bytes(bytes(8 << 20))
    sent, got = asyncio.run(both_ways())
    assert (sent, got) == ([12 << 20], [4 << 20, 8 << 20, 12 << 20])
    assert sha256(back) == sha256(local)


@pytest.mark.slow
def test_a_download_that_is_cut_goes_on_where_it_was(
    box: SshBox, known: Path, tmp_path: Path, server: SshServer
) -> None:
    there, here = tmp_path / "files" / "weights.bin", tmp_path / "back" / "weights.bin"
    there.parent.mkdir()
    there.write_bytes(os.urandom(24 << 20))
    got: list[int] = []

    def listen(done: int, _: int) -> None:
        got.append(done)
        if got == [4 << 20, 8 << 20]:
            server.cut()

    async def download() -> None:
        async with connected(box, known) as connection:
            await fetch_folder(Far(connection, sys.executable), str(there.parent), here.parent, listen)

    with pytest.raises(lost()):
        asyncio.run(download())
    assert not here.exists()
    asyncio.run(download())
    assert got == [*(n << 22 for n in range(1, 7)), 24 << 20]  # each four megabytes once
    assert sha256(here) == sha256(there)


@pytest.mark.slow
def test_a_network_that_is_cut_in_the_middle_of_a_file_goes_on_there(
    box: SshBox, known: Path, tiny_base: Path, make_job: MakeJob, server: SshServer
) -> None:
    base = known.with_name("base")
    shutil.copytree(tiny_base, base)
    (base / "aaa.bin").write_bytes(os.urandom(40 << 20))  # the first that is sent
    sent: list[int] = []
    told: list[Event] = []

    def listen(event: Event) -> None:
        told.append(event)
        if isinstance(event, Moved) and event.what.startswith("base model"):
            sent.append(event.done)
            if event.done == 16 << 20:
                server.cut()

    away = make_job("away", 1)
    train_there(box, known, Errand(away, base, "job"), listen)
    assert sent[:10] == [n << 22 for n in range(1, 11)]  # each four megabytes once
    arrived = Path(box.folder, "bases", Errand(away, base, "job").base_digest, "aaa.bin")
    assert sha256(arrived) == sha256(base / "aaa.bin")
    assert is_trained(away)


def test_a_disk_that_is_full_there_is_said_and_nothing_of_the_data_set_is_on_it(
    tmp_path: Path, tiny_base: Path, make_job: MakeJob
) -> None:
    full = SshServer(tmp_path / "sshd", most_bytes=100_000).start()  # our package has more
    try:
        box = box_at(full, tmp_path / "there")
        check(box, tmp_path / "known_hosts", "job", accept=True)
        with pytest.raises(RunFailed, match=r"idiolect-.*\.whl could not be written on the other computer") as told:
            train_there(box, tmp_path / "known_hosts", Errand(make_job("away", 1), tiny_base, "job"), lambda _: None)
    finally:
        full.stop()
    assert "room on its disk" in told.value.remedy
    assert not list((tmp_path / "there").rglob("dataset*"))


@pytest.mark.slow
def test_a_job_there_ends_with_the_same_weights_and_leaves_nothing(
    box: SshBox, known: Path, tiny_base: Path, make_job: MakeJob, tmp_path: Path
) -> None:
    here, away = make_job("here", 1), make_job("away", 1)
    train_here(here, tiny_base, tmp_path / "log", lambda _: None)
    told: list[Event] = []
    train_there(box, known, Errand(away, tiny_base, "job"), told.append)
    assert weights(away) == weights(here)
    assert any(isinstance(e, Stepped) for e in told)
    assert {e.what.partition(" to ")[0].partition(" from ")[0] for e in told if isinstance(e, Moved)} == {
        "base model",
        "job",
        "results",
    }
    assert [e.text for e in told if isinstance(e, Note)][-1] == "The data set is deleted from 127.0.0.1."
    left = {f.name for f in (tmp_path / "there").rglob("*") if f.is_file()}
    assert "dataset.jsonl" not in left
    assert not (tmp_path / "there" / "jobs" / "job").exists()


@pytest.mark.slow
def test_a_job_that_fails_there_says_why_and_leaves_nothing(
    box: SshBox, known: Path, tiny_base: Path, make_job: MakeJob, tmp_path: Path
) -> None:
    broken = tmp_path / "broken-base"
    shutil.copytree(tiny_base, broken)
    (broken / "model.safetensors").write_bytes(b"no weights")
    with pytest.raises(RunFailed, match=r"on 127\.0\.0\.1 ended with exit code 1(.|\n)*data set is deleted from"):
        train_there(box, known, Errand(make_job("away", 1), broken, "job"), lambda _: None)
    assert not (tmp_path / "there" / "jobs" / "job").exists()


@pytest.mark.slow
def test_a_lost_network_and_a_killed_laptop_lose_nothing(
    box: SshBox, known: Path, tiny_base: Path, make_job: MakeJob, server: SshServer
) -> None:
    here, away = make_job("here", 40), make_job("away", 40)
    train_here(here, tiny_base, known.with_name("log"), lambda _: None)
    told: list[Event] = []
    cut = threading.Event()

    def listen(event: Event) -> None:
        told.append(event)
        if isinstance(event, Stepped) and not cut.is_set():
            cut.set()
            server.cut()

    train_there(box, known, Errand(away, tiny_base, "job"), listen)
    assert cut.is_set()
    assert weights(away) == weights(here)
    steps = [e.step for e in told if isinstance(e, Stepped)]
    assert steps == sorted(set(steps))
    assert [e.text for e in told if isinstance(e, Note)].count("Attached to the job on 127.0.0.1.") == 1

    again = make_job("again", 40)
    program = (
        "import sys, pathlib\nfrom idiolect.machines.described import SshBox\n"
        "from idiolect.machines.ssh import Errand, train_there\n"
        f"train_there(SshBox.model_validate_json({box.model_dump_json()!r}), pathlib.Path({str(known)!r}),\n"
        f"    Errand(pathlib.Path({str(again)!r}), pathlib.Path({str(tiny_base)!r}), 'other'), print)"
    )
    laptop = subprocess.Popen([sys.executable, "-u", "-c", program], stdout=subprocess.PIPE, text=True)
    assert laptop.stdout
    next(line for line in laptop.stdout if line.startswith("Stepped"))
    laptop.kill()
    laptop.wait()
    laptop.stdout.close()
    time.sleep(1)
    told.clear()
    train_there(box, known, Errand(again, tiny_base, "other"), told.append)
    assert weights(again) == weights(here)
    assert next(e.step for e in told if isinstance(e, Stepped)) == 1  # what was missed is shown
