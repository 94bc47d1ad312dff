"""Import, in a browser: a folder is dropped; an import goes on without its page, and the studio ends after it."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from idiolect.files import write_json
from idiolect.home import Home
from tests.memories.importers.exports import LIFE, Said, facebook, jsonl
from tests.studio.conftest import Studio, Tab, start

pytestmark = pytest.mark.slow

#: So many messages come in for some seconds.
MANY = 50_000


def drop(page: Page, what: Path) -> None:
    """Drop a file or a folder as a mouse does: what Chromium is told by the system."""
    place = page.locator(".drop")
    box = place.bounding_box()
    assert box
    browser = page.context.new_cdp_session(page)
    for kind in ("dragEnter", "dragOver", "drop"):
        where = {"type": kind, "x": box["x"] + box["width"] / 2, "y": box["y"] + 9}
        data = {"items": [], "files": [str(what)], "dragOperationsMask": 1}
        browser.send("Input.dispatchDragEvent", {**where, "data": data})


def test_a_folder_is_dropped_and_its_pictures_stay_where_they_are(tab: Tab, studio: Studio, tmp_path: Path) -> None:
    export = facebook(tmp_path / "facebook-ada", LIFE)
    (export / "photo.jpg").write_bytes(b"\xff\xd8" * 500)
    page = tab.open("/import")
    drop(page, export)
    page.get_by_text("Facebook Messenger or Instagram").nth(1).wait_for()
    expect(page.locator(".drop")).to_contain_text("1 file of pictures, film or sound left where they are")
    sent = list(studio.home.uploads.rglob("facebook-ada/**/*.json"))
    assert [f.read_bytes() for f in sorted(sent)] == [f.read_bytes() for f in sorted(export.rglob("*.json"))]
    assert not list(studio.home.uploads.rglob("*.jpg"))
    page.get_by_label("Person", exact=True).fill("folder")
    page.get_by_role("radio", name="Ada Lunde").click()
    page.get_by_role("button", name="Import", exact=True).click()
    page.get_by_text("new memories").wait_for()
    assert list(studio.home.profile("folder").imported("facebook").rglob("*.json"))
    # What is dropped next stands above it.
    drop(page, jsonl(tmp_path / "more", LIFE))
    offers = page.locator("section.card", has=page.get_by_text("Which one is you?"))
    expect(offers).to_have_count(2)
    expect(offers.nth(0)).not_to_contain_text("new memories")
    expect(offers.nth(1)).to_contain_text("new memories")


def test_a_folder_is_chosen_with_the_keyboard(tab: Tab, tmp_path: Path) -> None:
    export = facebook(tmp_path / "facebook-ada", LIFE)
    # Before the page is opened: Chromium is told that choosers are answered here, and takes its time.
    tab.page.on("filechooser", lambda chooser: chooser.set_files(export))
    page = tab.open("/import")
    page.get_by_role("button", name="Choose files").focus()
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Choose a folder")).to_be_focused()
    page.keyboard.press("Enter")
    page.get_by_text("Which one is you?").wait_for()


def test_a_path_that_leads_elsewhere_is_refused_and_said(tab: Tab, studio: Studio, tmp_path: Path) -> None:
    (tmp_path / "notes.md").write_text("Rain.")
    page = tab.open("/import")
    page.route("**/drop/**", lambda route: route.continue_(url=route.request.url.replace("notes.md", "../../evil")))
    page.set_input_files("input.files", tmp_path / "notes.md")
    expect(page.locator(".drop")).to_contain_text("It did not come in: '../../evil' cannot be the name of a file.")
    assert not list(studio.home.root.rglob("evil"))
    assert ["400 (Bad Request)" in fault for fault in tab.faults] == [True]
    tab.faults.clear()
    page.unroute("**/drop/**")
    page.set_input_files("input.files", tmp_path / "notes.md")
    page.get_by_text("Markdown journals").nth(1).wait_for()


def test_an_import_that_was_cut_off_is_said_once(tab: Tab, studio: Studio) -> None:
    profile = studio.home.profile("cut")
    write_json(profile.importing("whatsapp") / "memories" / "2026" / "a.json", {"content": "Rain."})
    page = tab.open("/import")
    expect(page.get_by_text("An import was cut off: WhatsApp, for cut")).to_be_visible()
    expect(page.get_by_text("Nothing of it has come in; drop the export again.")).to_be_visible()
    assert not profile.memories.exists()
    tab.open("/import").get_by_text("Drop what you have exported").wait_for()
    expect(page.get_by_text("cut off")).to_have_count(0)


def test_the_studio_ends_after_an_import_whose_page_was_closed(browser: Browser, tmp_path: Path) -> None:
    export = jsonl(tmp_path / "export", [Said(n, n % 2 == 1, f"Number {n}.") for n in range(MANY)])
    process, studio = start(Home(tmp_path / "home"))
    try:
        _begin_to_import(browser, studio, export / "chat.jsonl")
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=120)
    finally:
        process.kill()
    assert "An import is going on; the studio ends after it." in said
    profile = studio.home.profile("ada")
    assert not profile.importing("plain").exists()
    assert len(list(profile.imported("plain").rglob("*.json"))) == -(-MANY // 6)


def _begin_to_import(browser: Browser, studio: Studio, export: Path) -> None:
    """Begin an import, and close the page and its browser as soon as something is written."""
    context = browser.new_context()
    context.set_default_timeout(60_000)
    page = context.new_page()
    page.goto(studio.link)
    page.goto(f"{studio.origin}/import")
    page.set_input_files("input.files", export)
    page.get_by_role("radio", name="Ada Lunde").click()
    page.get_by_label("Person", exact=True).fill("ada")
    page.get_by_role("button", name="Import", exact=True).click()
    _wait_for(studio.home.profile("ada").importing("plain"))
    context.close()


def _wait_for(path: Path) -> None:
    until = time.monotonic() + 120
    while not path.exists():
        assert time.monotonic() < until
        time.sleep(0.02)
