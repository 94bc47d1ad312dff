"""A life full of HTML and script, in every text that a page shows: it is shown, and does nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from idiolect.files import write_json, write_text
from idiolect.workflow.archive.summary import StepSummary
from tests.memories.importers.exports import Said, whatsapp
from tests.runs import write_run
from tests.studio.conftest import Studio, Tab

pytestmark = pytest.mark.slow

IMAGE = "<img src=x onerror=alert(1)>"
SCRIPT = "<script>alert(2)</script>{{ alert(3) }}`${alert(4)}`"
MEMORY = {"id": "evt-1", "timestamp": "2026-01-01T08:00:00Z", "type": "journal", "content": f"{SCRIPT} {IMAGE}"}


@pytest.fixture(scope="module")
def label(studio: Studio) -> str:
    """Two people, one of them with a hostile name, and the label of a run that failed with hostile words everywhere."""
    home = studio.home
    for person in (IMAGE, "ada"):
        write_json(home.profile(person).memories / "2026" / f"{IMAGE}.json", MEMORY)
    steps = [StepSummary(SCRIPT, IMAGE, 1.0)]
    run = write_run(
        home, Path(IMAGE), "2026-01-02", "failed", gguf=False, weights=False, error=SCRIPT + IMAGE, steps=steps
    )
    write_text(run.report, f"<p>the report</p>{IMAGE}<script>parent.alert(5)</script>")
    write_text(run.log, f"{SCRIPT}\n{IMAGE}\n")
    write_json(run.journal, {})
    return run.label


def test_hostile_text_is_harmless_on_every_page(tab: Tab, label: str) -> None:
    hostile = "%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E"
    places = [f"{path}?person={person}" for path in ("/", "/import", "/train", "/runs") for person in (hostile, "ada")]
    for place in [*places, f"/train?person=ada&run={label}", f"/runs?person=ada&run={label}&with={label}"]:
        page = tab.settled(place)
        assert page.locator("img[src=x]").count() == 0, place
    expect(tab.open(f"/?person={hostile}").locator(".people")).to_contain_text(IMAGE)
    tab.page.get_by_text("with some").wait_for()
    expect(tab.open(f"/train?person=ada&run={label}").locator(".page")).to_contain_text(SCRIPT)


def test_a_report_can_do_nothing(tab: Tab, label: str) -> None:
    page = tab.open(f"/runs?person=ada&run={label}")
    page.frame_locator("iframe.report").get_by_text("the report").wait_for()
    page.wait_for_timeout(500)
    # Chromium says in the console what it has not done.
    refused = [f for f in tab.faults if "sandboxed" in f or "Content Security Policy" in f or "csp" in f]
    assert refused
    assert tab.faults == refused
    tab.faults.clear()


@pytest.mark.usefixtures("label")
def test_hostile_names_in_an_export_are_names(tab: Tab, tmp_path: Path) -> None:
    life = [Said(n, n % 2 == 1, f"{n} {SCRIPT}") for n in range(6)]
    export = whatsapp(tmp_path, life).rename(tmp_path / "WhatsApp Chat with Anna.txt")
    export.write_text(export.read_text(encoding="utf-8").replace("Anna Berg", IMAGE), encoding="utf-8")
    page = tab.open("/import?person=ada")
    page.set_input_files("input.files", export)
    page.get_by_role("radio", name="Ada Lunde").click()
    expect(page.locator(".who")).to_contain_text(IMAGE)
    page.get_by_role("button", name="Import", exact=True).click()
    page.get_by_text("new memories").wait_for()
    assert page.locator("img[src=x]").count() == 0


@pytest.mark.usefixtures("label")
def test_what_is_no_export_is_said_and_forgotten(tab: Tab, studio: Studio, tmp_path: Path) -> None:
    (tmp_path / "holiday.bin").write_bytes(bytes(range(256)))
    page = tab.open("/import?person=ada")
    page.set_input_files("input.files", tmp_path / "holiday.bin")
    page.get_by_text("holiday.bin is nothing that can be imported.").wait_for()
    assert list(studio.home.uploads.rglob("holiday.bin"))
    page.goto("about:blank")
    for _ in range(100):
        if not list(studio.home.uploads.rglob("holiday.bin")):
            return
        page.wait_for_timeout(200)
    pytest.fail("the upload is still there")
