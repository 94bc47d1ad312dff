"""A studio in a process of its own, and a real Chromium that looks at it, hears its console, and keeps pictures."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Dialog, Page, Request, expect, sync_playwright

from idiolect.home import Home

#: Pictures of what the tests saw: for people to look at, and for CI to keep.
ARTEFACTS = Path(os.environ.get("IDIOLECT_ARTEFACTS") or Path(__file__).parents[2] / ".artefacts") / "studio"
PHONE, DESK = (390, 844), (1280, 900)
#: Other tests train beside these.
_PATIENCE_MS = 60_000
expect.set_options(timeout=_PATIENCE_MS)
#: What pages say while they look for something.
_LOOKS = re.compile(r"^(Looking|Reckoning|Reading) .*…$")


@dataclass(frozen=True)
class Studio:
    """A studio that runs: its home folder, where it answers, the link that works once."""

    home: Home
    origin: str
    link: str


@dataclass
class Tab:
    """A tab of the browser, and what went wrong in it."""

    page: Page
    origin: str
    faults: list[str] = field(default_factory=list)

    def open(self, path: str) -> Page:
        """Open a page of the studio and wait until it is there, connected and quiet."""
        self.page.goto(self.origin + path)
        self.page.wait_for_selector("main .title")
        self.page.wait_for_function("() => window.socket && window.socket.connected")
        return self.page

    def settled(self, path: str) -> Page:
        """Open a page, and wait until it shows what it looks for beside itself; time for scripts to run, too."""
        page = self.open(path)
        page.locator("main .card").first.wait_for()
        expect(page.get_by_text(_LOOKS)).to_have_count(0)
        page.wait_for_timeout(200)
        return page

    def hear(self) -> None:
        """Listen for errors of the console, and for anything that is asked of another host."""
        self.page.on("console", self._said)
        self.page.on("pageerror", lambda error: self.faults.append(f"page error: {error}"))
        self.page.on("request", self._asked)
        self.page.on("dialog", self._alerted)
        self.page.on("requestfailed", self._failed)

    def _said(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.faults.append(f"{message.type}: {message.text}")

    def _alerted(self, dialog: Dialog) -> None:
        self.faults.append(f"alert: {dialog.message}")
        dialog.dismiss()

    def _asked(self, request: Request) -> None:
        ours = (self.origin, self.origin.replace("http:", "ws:"), "data:", "blob:")
        if not request.url.startswith(ours):
            self.faults.append(f"asked for {request.url}")

    def _failed(self, request: Request) -> None:
        # What a page was still loading when it was left is no fault.
        if request.failure != "net::ERR_ABORTED":
            self.faults.append(f"failed: {request.url} {request.failure}")


def start(home: Home, **more: str) -> tuple[subprocess.Popen[str], Studio]:
    """Start `idiolect studio` on any free port, with `more` in its environment, and read its link."""
    words = [sys.executable, "-m", "idiolect", "studio", "--home", str(home.root), "--port", "0", "--no-browser"]
    ours = {name: value for name, value in os.environ.items() if not name.startswith(("METAHUMAN_", "IDIOLECT_"))}
    # Wide, that no line is broken; nobody answers as Ollama there.
    environ = {**ours, "COLUMNS": "300", "OLLAMA_HOST": "127.0.0.1:9", "PYTHONUNBUFFERED": "1", **more}
    process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=environ)
    assert process.stdout
    link = next(line for line in process.stdout if line.startswith("http://")).strip()
    return process, Studio(home, link.partition("/?")[0], link)


def stop(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    """A studio of an empty home folder; the tests of a module share it."""
    process, studio = start(Home(tmp_path_factory.mktemp("studio") / "home"))
    yield studio
    stop(process)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium; as root it cannot build its own sandbox.

    Not for the whole session: while Playwright runs, nothing else in this process can run an event loop.
    """
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("there is no Chromium here: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox"] if os.geteuid() == 0 else [], timeout=120_000
        )
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def visitor(browser: Browser, studio: Studio) -> Iterator[BrowserContext]:
    """A browser that has followed the link."""
    context = browser.new_context(color_scheme="light", viewport={"width": DESK[0], "height": DESK[1]})
    context.set_default_timeout(_PATIENCE_MS)
    page = context.new_page()
    page.goto(studio.link)
    page.close()
    yield context
    context.close()


@pytest.fixture
def tab(visitor: BrowserContext, studio: Studio) -> Iterator[Tab]:
    """A tab in which nothing may go wrong: no error in its console, no request to anybody else."""
    tab = Tab(visitor.new_page(), studio.origin)
    tab.hear()
    yield tab
    tab.page.close()
    assert not tab.faults


Picture = Callable[[Tab, str], None]
#: Charts are drawn anew in the frame after that in which their size has changed.
_DRAWN = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 50))))"


@pytest.fixture(scope="session")
def picture() -> Picture:
    """Return what keeps pictures of a page: wide in light and dark, and at phone width, where it must not scroll."""
    ARTEFACTS.mkdir(parents=True, exist_ok=True)

    def take(tab: Tab, name: str) -> None:
        page = tab.page
        for look, size in (("light", DESK), ("dark", DESK), ("phone", PHONE)):
            page.emulate_media(color_scheme="dark" if look == "dark" else "light")
            page.set_viewport_size({"width": size[0], "height": size[1]})
            page.evaluate(_DRAWN)
            page.screenshot(path=ARTEFACTS / f"{name}-{look}.png", full_page=True)
            wide = page.evaluate("document.documentElement.scrollWidth")
            assert wide <= size[0], f"{name} is {wide} wide, {size[0]} are there"
        page.set_viewport_size({"width": DESK[0], "height": DESK[1]})

    return take
