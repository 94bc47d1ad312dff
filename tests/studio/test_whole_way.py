"""From an export to a model that is published and gone back from, all of it in one browser."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from idiolect.curation import Fate, Sample
from idiolect.files import write_json
from idiolect.home import Home, Run
from idiolect.workflow.archive.registry import read_registry
from idiolect.workflow.archive.runs import standing
from idiolect.workflow.data.steps import read_lines, read_records
from idiolect.workflow.models.publish import promote
from tests.runs import write_run
from tests.studio.acts import MINE, edit_two, import_export, start_run, write_export
from tests.studio.conftest import Picture, Studio, Tab

pytestmark = pytest.mark.slow

_PATIENCE_SECONDS = 400
_STEP = re.compile(r"step (\d+) of \d+, loss ([\d.]+)")
_HELD_OUT = re.compile(r"held-out loss ([\d.]+) → ([\d.]+)")


def test_an_export_becomes_a_model(tab: Tab, studio: Studio, tmp_path: Path, tiny_base: Path, picture: Picture) -> None:
    # No longer than the model's context; small steps, for many of them; whether it is good is for the person to say.
    settings = {"base_model": str(tiny_base), "max_seq_length": 400, "gradient_accumulation_steps": 4}
    write_json(studio.home.training_json, {**settings, "publish": "never"})
    import_export(tab, write_export(tmp_path), picture)
    assert len(list(studio.home.profile("ada").memories.rglob("*.json"))) == 27
    before = write_run(studio.home, tiny_base, "2026-01-01")
    promote(studio.home, "ada", before.label)
    edited, dropped = edit_two(tab, picture)
    start_run(tab, picture)
    (run,) = (r for r in studio.home.profile("ada").runs() if r.label != before.label)
    first = _watch_the_loss_move(tab.page)
    _cancel_and_go_on(tab.page)
    _watch_from_two_pages(tab, picture)
    tab.page.goto("about:blank")  # nobody looks any more
    _wait_until_succeeded(studio.home, run)
    _see_what_came_of_it(tab, run, first, picture)
    _has_the_edits(run, edited, dropped)
    _compare(tab, before, run)
    _publish_and_roll_back(tab, studio.home, before, run, picture)


def _watch_the_loss_move(page: Page) -> float:
    """See the numbers of the page change by themselves; return the first loss."""
    said = page.get_by_text(_STEP)
    said.wait_for(timeout=_PATIENCE_SECONDS * 1000)
    step, first = _loss(said)
    expect(said).not_to_contain_text(f"step {step} of")
    later, second = _loss(said)
    assert later > step
    assert second != first
    return first


def _loss(said: Locator) -> tuple[int, float]:
    found = _STEP.search(said.inner_text())
    assert found
    return int(found[1]), float(found[2])


def _cancel_and_go_on(page: Page) -> None:
    page.get_by_role("button", name="Cancel").click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel the run").click()
    page.get_by_text("cancelled", exact=True).wait_for()
    page.get_by_role("button", name="Go on with it").click()
    page.get_by_text("running", exact=True).wait_for()


def _watch_from_two_pages(tab: Tab, picture: Picture) -> None:
    other = tab.page.context.new_page()
    other.goto(tab.page.url)
    for watching in (tab.page, other):
        watching.get_by_text(_STEP).wait_for(timeout=_PATIENCE_SECONDS * 1000)
    other.close()
    picture(tab, "train-running")


def _wait_until_succeeded(home: Home, run: Run) -> None:
    until = time.monotonic() + _PATIENCE_SECONDS
    while (now := standing(home.profile("ada"), run)) != "succeeded":
        assert now == "running", run.log.read_text()
        assert time.monotonic() < until, run.log.read_text()
        time.sleep(0.3)


def _see_what_came_of_it(tab: Tab, run: Run, first: float, picture: Picture) -> None:
    page = tab.open(f"/train?person=ada&run={run.label}")
    page.get_by_text("succeeded", exact=True).wait_for()
    said = page.get_by_text(_STEP)
    assert _loss(said)[1] < first
    held_out = _HELD_OUT.search(said.inner_text())
    assert held_out
    assert float(held_out[2]) < float(held_out[1])
    picture(tab, "train-done")
    page.get_by_role("link", name="What came of it").click()
    page.frame_locator("iframe.report").get_by_text(run.label).first.wait_for()
    picture(tab, "run")


def _has_the_edits(run: Run, edited: str, dropped: str) -> None:
    fates = {f.memory: f for f in read_lines(run.ledger, Fate)}
    assert fates[dropped].rule == "dropped by hand"
    samples = {s.source.memory: s for s in read_records(run.curated, Sample)}
    assert samples[edited].messages[1].content == MINE


def _compare(tab: Tab, before: Run, new: Run) -> None:
    page = tab.open("/compare?person=ada")
    columns = {name: page.get_by_role("group", name=name, exact=True) for name in ("base", "previous", "new")}
    expect(columns["new"]).to_contain_text(new.label)
    expect(columns["previous"]).to_contain_text(before.label)
    page.get_by_label("Say something").fill("How was the crossing?")
    page.keyboard.press("Enter")
    for column in columns.values():
        expect(column.get_by_role("button", name="I would say that")).to_be_visible()
    said = [column.locator(".said").nth(1).inner_text() for column in columns.values()]
    assert len(set(said)) == len(columns)


def _publish_and_roll_back(tab: Tab, home: Home, before: Run, new: Run, picture: Picture) -> None:
    page, asked = tab.page, tab.page.get_by_role("dialog")
    publish, back = (page.get_by_role("button", name=name) for name in ("Publish the new one", "Roll back"))
    publish.click()
    asked.get_by_role("button", name="Publish it").click()
    expect(publish).to_have_count(0)
    back.wait_for()
    assert _published(home) == new.label
    picture(tab, "compare-published")
    back.click()
    asked.get_by_role("button", name="Go back").click()
    publish.wait_for()
    assert _published(home) == before.label


def _published(home: Home) -> str:
    published = read_registry(home.profile("ada")).published
    assert published
    return published.label
