"""Promise: no other user of the computer can take the studio's link, and its owner comes back whenever they like."""

from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from idiolect.home import Home
from tests.hostile.command import idiolect
from tests.studio.conftest import start, stop

FROM_A_FILE = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}


@pytest.fixture(scope="module")
def browser_call(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Home, Path]]:
    """A studio that runs, and what it has called a browser with."""
    folder = tmp_path_factory.mktemp("link")
    program, called = folder / "browser", folder / "called"
    program.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" >{called}.new; mv {called}.new {called}\n')
    program.chmod(0o755)
    home = Home(folder / "home")
    words = [sys.executable, "-m", "idiolect", "studio", "--home", str(home.root), "--port", "0"]
    environ = {**os.environ, "BROWSER": str(program), "COLUMNS": "300"}
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, text=True, env=environ)
    for _ in range(600):
        if called.exists():
            break
        time.sleep(0.1)
    yield home, called
    stop(process)


def asked(link: str, headers: dict[str, str]) -> tuple[int, dict[str, str]]:
    at = urlsplit(link)
    with closing(HTTPConnection(at.hostname or "", at.port or 0, timeout=30)) as connection:
        connection.request("GET", f"{at.path or '/'}?{at.query}", headers=headers)
        with connection.getresponse() as reply:
            reply.read()
            return reply.status, {name.lower(): value for name, value in reply.getheaders()}


def test_the_link_is_in_no_process_arguments_and_in_a_file_of_ones_own(browser_call: tuple[Home, Path]) -> None:
    home, called = browser_call
    (where,) = called.read_text().split()
    assert where.startswith("file://")
    assert "token" not in where
    page = Path(urlsplit(where).path)
    assert stat.S_IMODE(page.stat().st_mode) == 0o600
    assert stat.S_IMODE(page.parent.stat().st_mode) == 0o700
    found = re.search(r"url=(http://[^\"]+)", page.read_text())
    assert found
    # As a browser comes from a file: it gets its cookie, and is led on from a page of the studio's own.
    status, headers = asked(found[1], FROM_A_FILE)
    assert (status, headers["refresh"]) == (200, "0;url=/")
    assert "SameSite=Strict" in headers["set-cookie"]
    status, _ = asked(found[1], FROM_A_FILE)
    assert status == 403
    assert home.studio == page.parent


def test_idiolect_studio_finds_the_one_that_runs_and_gives_a_fresh_link(browser_call: tuple[Home, Path]) -> None:
    home, _ = browser_call
    links = []
    for _ in range(2):
        done = idiolect("studio", "--no-browser", home=home.root, environ={"COLUMNS": "300"})
        assert done.returncode == 0, done.stderr
        assert "it runs already" in done.stdout
        links.append(done.stdout.split()[-1])
        assert stat.S_IMODE((home.studio / "token").stat().st_mode) == 0o600
    assert [asked(link, {})[0] for link in links] == [403, 303]  # the last one given, once
    assert asked(links[1], {})[0] == 403
    assert asked(links[1].replace("token=", "token=x"), {})[0] == 403


def test_a_studio_that_has_ended_is_not_found(tmp_path: Path) -> None:
    process, first = start(Home(tmp_path / "home"))
    process.kill()
    process.communicate()
    process, second = start(Home(tmp_path / "home"))
    assert second.link != first.link
    stop(process)
    assert not list((tmp_path / "home" / "state" / "studio").glob("[!l]*"))


@pytest.mark.slow
def test_a_real_browser_comes_from_the_file(tmp_path: Path) -> None:
    from playwright.sync_api import sync_playwright

    from idiolect.studio.finding import leads_to

    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("there is no Chromium here")
    process, studio = start(Home(tmp_path / "home"))
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"], timeout=120_000)
            page = browser.new_page()
            page.goto(leads_to(studio.home, studio.link).as_uri())
            page.wait_for_selector("main .title", timeout=60_000)
            assert page.url == f"{studio.origin}/"
            browser.close()
    finally:
        stop(process)
