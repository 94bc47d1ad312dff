"""The studio as a browser sees it: every page opens, in light, dark and at phone width, without a fault."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from idiolect.files import write_json, write_text
from idiolect.workflow.schedule import Schedule, write_schedule
from idiolect.workflow.summary import StepSummary
from tests.conftest import Event
from tests.runs import write_run
from tests.studio.conftest import Picture, Studio, Tab

pytestmark = pytest.mark.slow


def test_an_empty_home_says_what_to_do(tab: Tab, picture: Picture) -> None:
    page = tab.open("/")
    assert page.get_by_text("Nobody is here yet").is_visible()
    picture(tab, "home-empty")


def test_an_unknown_person_is_nobody(tab: Tab) -> None:
    page = tab.open("/?person=../../etc")
    assert page.get_by_text("Nobody is here yet").is_visible()


def fill(studio: Studio, talks: list[Event]) -> list[str]:
    """Write a person with memories, a schedule, and runs of which the oldest has left a model that can go."""
    profile = studio.home.profile("ada")
    for number, event in enumerate(talks):
        write_json(profile.memories / f"2026/{number:03}.json", event)
    write_schedule(profile, Schedule(day=15, since=datetime.now(UTC)))
    steps = [StepSummary("curate", "40 samples of 40 memories", 0.4), StepSummary("train", "held-out loss fell", 75.0)]
    labels = []
    for day in ("2026-01-03", "2026-02-03", "2026-03-03"):
        options = {"lora_rank": {"value": int(day[6]) * 4, "from": "etc/training.json"}}
        run = write_run(studio.home, Path("embedded"), day, gguf=False, options=options, steps=steps)
        write_text(run.report, "<p style='font-family: sans-serif'>What was measured</p>")
        run.gguf.write_bytes(b"x" * 2_000_000)
        labels.append(run.label)
    return labels


def test_home_and_runs_show_what_there_is(tab: Tab, studio: Studio, talks: list[Event], picture: Picture) -> None:
    old, _, new = fill(studio, talks)
    page = tab.open("/")
    page.get_by_text("Clean-up would free 2 MB").wait_for()
    assert page.get_by_text("40", exact=True).first.is_visible()
    picture(tab, "home")
    tab.open("/runs?person=ada")
    page.get_by_role("link", name=new).click()
    page.frame_locator("iframe.report").get_by_text("What was measured").wait_for()
    picture(tab, "runs")
    tab.open(f"/runs?person=ada&run={old}&with={new}")
    row = page.get_by_role("row", name="lora_rank")
    assert row.inner_text().split() == ["options", "lora_rank", "4", "12"]
    picture(tab, "runs-two")


def test_clean_up_is_asked_for_and_done(tab: Tab, studio: Studio) -> None:
    gone = studio.home.profile("ada").runs()[0].gguf
    page = tab.open("/runs?person=ada")
    page.get_by_role("button", name="Remove them").click()
    page.get_by_role("button", name="No").click()
    assert gone.exists()
    page.get_by_role("button", name="Remove them").first.click()
    page.get_by_role("button", name="Remove them").last.click()
    page.get_by_text("There is nothing to remove").wait_for()
    assert not gone.exists()


def test_pages_are_walked_through_with_the_keyboard(tab: Tab) -> None:
    page = tab.open("/?person=ada")
    seen = []
    for _ in range(7):
        page.keyboard.press("Tab")
        seen.append(page.evaluate("document.activeElement.textContent"))
    assert seen == ["To the page itself", "Home", "Import", "Data set", "Train", "Compare", "Runs"]
    page.keyboard.press("Enter")
    page.wait_for_url("**/runs?person=ada")


def test_a_fault_is_shown_where_it_is_seen(tab: Tab) -> None:
    page = tab.open("/runs?person=ada&run=2026-01-01-000000-abcdef")
    alert = page.get_by_role("alert")
    alert.get_by_text("ada has no run 2026-01-01-000000-abcdef.").wait_for()
    assert alert.get_by_text("See them: idiolect runs").is_visible()
