"""What a job needs, brought to another computer: its own Python, venv and pip, behind a real OpenSSH server."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import site
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

import idiolect
from idiolect.errors import IdiolectError, MachineFault
from idiolect.machines.connection import connected
from idiolect.machines.described import SshBox
from idiolect.machines.installation import Installed, environment, install, look
from idiolect.machines.ssh import Errand, check, lost, train_there
from idiolect.machines.transfer import Far
from idiolect.training import Event, Note, is_trained
from tests.machines.conftest import MakeJob
from tests.machines.package_index import PackageIndex
from tests.machines.ssh_server import SSHD, SshServer, descendants

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(SSHD is None, reason="there is no OpenSSH server (Debian: openssh-server)"),
]


@pytest.fixture
def index() -> Iterator[PackageIndex]:
    made = PackageIndex()
    made.add("anchor", "1.0")
    yield made
    made.stop()


@pytest.fixture
def server(tmp_path: Path, index: PackageIndex) -> Iterator[SshServer]:
    """A login whose pip takes from the index alone, and whose own Python has all that trains and exports here."""
    own = tmp_path / "own"
    packages = own / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}" / "site-packages"
    packages.mkdir(parents=True)
    (packages / "all.pth").write_text("".join(f"{folder}\n" for folder in site.getsitepackages()))
    running = SshServer(tmp_path / "sshd", {**index.environ, "PYTHONUSERBASE": str(own)}).start()
    yield running
    running.stop()


@pytest.fixture
def box(server: SshServer, tmp_path: Path) -> SshBox:
    identity, folder = str(server.identity), str(tmp_path / "there")
    made = SshBox(host="127.0.0.1", port=server.port, identity=identity, folder=folder, python=sys.executable)
    check(made, tmp_path / "known_hosts", "job", accept=True)
    return made


def made(box: SshBox, known: Path, *needed: str, times: int = 1) -> tuple[set[str], list[str]]:
    """Have an environment, so many times at once; return the Pythons, and what was told."""
    told: list[str] = []

    async def one() -> str:
        async with connected(box, known) as connection:
            return await environment(connection, await look(connection, box), needed, told.append)

    async def all_of_them() -> list[str]:
        return await asyncio.gather(*(one() for _ in range(times)))

    return set(asyncio.run(all_of_them())), told


def version(python: str, package: str) -> str:
    words = [python, "-c", f"import {package}; print({package}.version)"]
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip()


def interrupted(box: SshBox, known: Path, index: PackageIndex, *needed: str) -> threading.Thread:
    """Begin to make an environment, up to where pip waits for a package; it is to end by an interruption."""

    def make() -> None:
        with pytest.raises((IdiolectError, *lost())):
            made(box, known, *needed)

    index.held_back = needed[-1].partition("==")[0]
    making = threading.Thread(target=make)
    making.start()
    assert index.waits.wait(60)
    return making


def test_only_a_whole_environment_is_taken_and_it_is_made_once(
    box: SshBox, server: SshServer, index: PackageIndex, tmp_path: Path
) -> None:
    known, needed, ready = tmp_path / "known_hosts", ("anchor==1.0", "lantern==1.0"), "there/env-*/ready"
    index.add("lantern", "1.0")
    making = interrupted(box, known, index, *needed)
    assert server.process
    for process in descendants(server.process.pid):  # as a power cut does
        os.kill(process, signal.SIGKILL)
    making.join()
    index.goes_on.set()
    assert list(tmp_path.glob("there/env-*/bin/python"))
    assert not list(tmp_path.glob(ready))

    del index.wheels["lantern-1.0-py3-none-any.whl"]
    with pytest.raises(MachineFault, match=r"could not be installed there: .*No matching distribution.* lantern==1\.0"):
        made(box, known, *needed)
    assert not list(tmp_path.glob(ready))

    index.add("lantern", "1.0")
    index.fetched.clear()
    (python,), told = made(box, known, *needed, times=2)
    assert told
    assert version(python, "lantern") == "1.0"
    assert sorted(index.fetched) == ["anchor-1.0-py3-none-any.whl", "lantern-1.0-py3-none-any.whl"]

    index.add("lantern", "2.0")
    (newer,), told = made(box, known, "anchor==1.0", "lantern==2.0")
    assert told
    assert (version(newer, "lantern"), version(python, "lantern")) == ("2.0", "1.0")
    index.wheels.clear()
    assert made(box, known, *needed) == ({python}, [])
    assert len(list(tmp_path.glob(ready))) == 2


def test_pip_goes_on_there_when_the_network_is_cut(
    box: SshBox, server: SshServer, index: PackageIndex, tmp_path: Path
) -> None:
    known = tmp_path / "known_hosts"
    making = interrupted(box, known, index, "anchor==1.0")
    server.cut()
    making.join()
    threading.Timer(0.5, index.goes_on.set).start()
    (python,), _ = made(box, known, "anchor==1.0")
    assert version(python, "anchor") == "1.0"
    assert index.fetched == ["anchor-1.0-py3-none-any.whl"]


def test_a_job_trains_in_an_environment_of_ours_with_our_own_package(
    box: SshBox, tiny_base: Path, make_job: MakeJob, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    away, known = make_job("away", 1), tmp_path / "known_hosts"
    told: list[Event] = []
    train_there(box, known, Errand(away, tiny_base, "job"), told.append)
    assert is_trained(away)
    installing = "127.0.0.1: Installing there what training needs; the next run finds it."
    assert [e.text for e in told if isinstance(e, Note)].count(installing) == 1

    told_again: list[str] = []

    async def installed() -> Installed:
        async with connected(box, known) as connection:
            there = await look(connection, box)
            return await install(Far(connection, there.python), box, there, told_again.append)

    first = asyncio.run(installed())
    assert seen_by(first) == (idiolect.__version__, first.package)
    assert first.python.startswith(f"{box.folder}/env-")
    # Another version of the package goes to a place of its own; what it needs is the same.
    other = tmp_path / "other" / "idiolect"
    shutil.copytree(Path(idiolect.__file__).parent, other, ignore=shutil.ignore_patterns("__pycache__"))
    (other / "__init__.py").write_text('__version__ = "another"\n')
    monkeypatch.setattr("idiolect.machines.wheel.__file__", str(other / "machines" / "wheel.py"))
    second = asyncio.run(installed())
    assert seen_by(second) == ("another", second.package)
    assert (second.python, told_again) == (first.python, [])
    assert second.package != first.package


def seen_by(there: Installed) -> tuple[str, str]:
    """Return the version of our package as a job there sees it, and the folder that it is in."""
    words = [there.python, "-c", "import idiolect; print(idiolect.__version__, idiolect.__file__)"]
    environ = {"PATH": os.environ["PATH"], "PYTHONPATH": there.package}
    seen = subprocess.run(words, capture_output=True, text=True, check=True, env=environ).stdout.split()
    return seen[0], str(Path(seen[1]).parent.parent)
