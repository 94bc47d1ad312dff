"""What the studio shows of a person with runs, and that old ones are cleaned up only when that was confirmed."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from idiolect.files import write_json, write_text
from idiolect.home import Home, Run
from idiolect.workflow.archive.summary import StepSummary
from idiolect.workflow.calendar.schedule import Schedule, write_schedule
from tests.conftest import Event
from tests.runs import write_run
from tests.studio.conftest import Picture, Studio, Tab

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def runs(studio: Studio, talks: list[Event]) -> list[Run]:
    """Runs of a person with forty memories and a schedule; the oldest has left a model that can go."""
    profile = studio.home.profile("ada")
    for number, event in enumerate(talks):
        write_json(profile.memories / f"2026/{number:03}.json", event)
    write_schedule(profile, Schedule(day=15, since=datetime.now(UTC)))
    return [_finished(studio.home, day) for day in ("2026-01-03", "2026-02-03", "2026-03-03")]


def _finished(home: Home, day: str) -> Run:
    steps = [StepSummary("curate", "40 samples of 40 memories", 0.4), StepSummary("train", "held-out loss fell", 75.0)]
    options = {"lora_rank": {"value": int(day[6]) * 4, "from": "etc/training.json"}}
    run = write_run(home, Path("embedded"), day, gguf=False, options=options, steps=steps)
    write_text(run.report, "<p style='font-family: sans-serif'>What was measured</p>")
    return run


@pytest.fixture
def left_over(runs: list[Run]) -> Path:
    """The oldest run's model file, which clean-up would remove, and which is there again for the next test."""
    runs[0].gguf.write_bytes(b"x" * 2_000_000)
    return runs[0].gguf


@pytest.mark.usefixtures("left_over")
def test_home_and_runs_show_what_there_is(tab: Tab, runs: list[Run], picture: Picture) -> None:
    old, new = runs[0].label, runs[-1].label
    page = tab.open("/")
    page.get_by_text("Clean-up would free 2 MB").wait_for()
    page.get_by_text("40", exact=True).first.wait_for()
    picture(tab, "home")
    tab.open("/runs?person=ada")
    page.get_by_role("link", name=new).click()
    page.frame_locator("iframe.report").get_by_text("What was measured").wait_for()
    picture(tab, "runs")
    tab.open(f"/runs?person=ada&run={old}&with={new}")
    row = page.get_by_role("row", name="lora_rank")
    assert row.inner_text().split() == ["options", "lora_rank", "4", "12"]
    picture(tab, "runs-two")


def test_clean_up_is_asked_for_and_done(tab: Tab, left_over: Path) -> None:
    page = tab.open("/runs?person=ada")
    page.get_by_role("button", name="Remove them").click()
    asked = page.get_by_role("dialog")
    asked.get_by_role("button", name="No").click()
    asked.wait_for(state="detached")
    assert left_over.exists()
    page.get_by_role("button", name="Remove them").click()
    asked.get_by_role("button", name="Remove them").click()
    page.get_by_text("There is nothing to remove").wait_for()
    assert not left_over.exists()


@pytest.mark.usefixtures("runs")
def test_pages_are_walked_through_with_the_keyboard(tab: Tab) -> None:
    page = tab.open("/?person=ada")
    seen = []
    for _ in range(7):
        page.keyboard.press("Tab")
        seen.append(page.evaluate("document.activeElement.textContent"))
    assert seen == ["To the page itself", "Home", "Import", "Data set", "Train", "Compare", "Runs"]
    page.keyboard.press("Enter")
    page.wait_for_url("**/runs?person=ada")


@pytest.mark.usefixtures("runs")
def test_a_fault_is_shown_where_it_is_seen(tab: Tab) -> None:
    page = tab.open("/runs?person=ada&run=2026-01-01-000000-abcdef")
    alert = page.get_by_role("alert")
    alert.get_by_text("ada has no run 2026-01-01-000000-abcdef.").wait_for()
    assert alert.get_by_text("See them: idiolect runs").is_visible()
