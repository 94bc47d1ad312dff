"""Train on a rented GPU, in a browser: what it will cost is asked before anything is rented; a cancelled pod goes back.

RunPod is the stand-in of tests/machines, spoken to over its socket by the studio and by the run.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from idiolect.files import write_json, write_text
from idiolect.home import Home, Profile
from tests.conftest import Event
from tests.machines.runpod_server import KEY, RunPodServer
from tests.machines.ssh_server import SSHD
from tests.studio.conftest import Picture, Studio, Tab, start, stop

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(SSHD is None, reason="there is no OpenSSH server (Debian: openssh-server)"),
]


@pytest.fixture(scope="module")
def runpod(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunPodServer]:
    server = RunPodServer(tmp_path_factory.mktemp("runpod")).start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory, runpod: RunPodServer) -> Iterator[Studio]:
    """A studio whose account at RunPod is one at the stand-in."""
    folder = tmp_path_factory.mktemp("studio")
    home = Home(folder / "home")
    write_text(
        home.machines_toml,
        f'[runpod]\nstart = "{runpod.folder / "start.sh"}"\npython = "{sys.executable}"\ninstall = false\n'
        f'folder = "{folder / "there"}"\nmax_cost = 2.0\n',
    )
    process, studio = start(
        home,
        RUNPOD_API_KEY=KEY,
        RUNPOD_API_BASE_URL=runpod.url,
        RUNPOD_GPU_TYPE="NVIDIA GeForce RTX 4090",
    )
    yield studio
    stop(process)


@pytest.fixture
def profile(studio: Studio, talks: list[Event], tiny_base: Path) -> Profile:
    """Ada, whose training would take long."""
    profile = studio.home.profile("ada")
    for number, event in enumerate(talks):
        write_json(profile.memories / f"2026/{number:03}.json", event)
    write_json(profile.training_json, {"base_model": str(tiny_base), "num_train_epochs": 400})
    return profile


def test_what_it_will_cost_is_asked_before_anything_is_rented(
    runpod: RunPodServer, profile: Profile, tab: Tab, picture: Picture
) -> None:
    page = tab.open("/train?person=ada")
    page.get_by_label("machine").fill("runpod")
    page.get_by_text("chosen here").wait_for()
    asked = page.get_by_role("dialog")
    page.get_by_role("button", name="Start").click()
    expect(asked).to_contain_text("This rents a GPU from RunPod, NVIDIA GeForce RTX 4090 first, at 0.50 $ an hour.")
    expect(asked).to_contain_text("of its 24 GiB, 5 minutes, 0.04 $. At most 2.00 $ and 12 hours.")
    picture(tab, "train-consent")
    asked.get_by_role("button", name="No").click()
    expect(asked).to_have_count(0)
    assert not runpod.pods
    assert not profile.runs()
    page.get_by_role("button", name="Start").click()
    asked.get_by_role("button", name="Yes, go on").click()
    page.wait_for_url("**/train?person=ada&run=*")
    page.get_by_text("learned tokens a second").wait_for(timeout=400_000)
    assert [pod.asked["gpu"]["id"] for pod in runpod.pods.values()] == ["NVIDIA GeForce RTX 4090"]
    page.get_by_role("button", name="Cancel").click()
    asked.get_by_role("button", name="Cancel the run").click()
    page.get_by_text("cancelled", exact=True).wait_for()
    _wait_until_given_back(runpod)


def _wait_until_given_back(runpod: RunPodServer) -> None:
    until = time.monotonic() + 60
    while runpod.pods:
        assert time.monotonic() < until, runpod.calls
        time.sleep(0.1)
