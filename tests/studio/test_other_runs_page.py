"""Runs, in a browser: those of MetaHuman OS and one whose summary is damaged stand in the list beside ours."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.checkout import write_its_adapter, write_its_fine_tune, write_memories
from tests.runs import write_run
from tests.studio.conftest import Picture, Studio, Tab

pytestmark = pytest.mark.slow

TUNED, ADAPTER = "2025-11-22-100000-00aa11", "2025-11-21-100000-00aa14"


def test_other_runs_are_listed_and_shown(studio: Studio, tab: Tab, tiny_base: Path, picture: Picture) -> None:
    profile = studio.home.profile("ada")
    write_memories(profile.memories, 2)
    write_its_fine_tune(profile, TUNED, {})
    write_its_adapter(profile, ADAPTER)
    ours, damaged = (write_run(studio.home, tiny_base, day) for day in ("2026-01-01", "2026-02-01"))
    damaged.summary.write_text("{")
    page = tab.settled("/runs?person=ada")
    expect(page.get_by_text("of MetaHuman OS", exact=True)).to_have_count(2)
    expect(page.get_by_text("unreadable", exact=True)).to_be_visible()
    picture(tab, "runs-of-metahuman-os")
    page = tab.settled(f"/runs?person=ada&run={TUNED}")
    expect(page.get_by_text("MetaHuman OS has made it")).to_be_visible()
    page = tab.settled(f"/runs?person=ada&run={damaged.label}")
    expect(page.get_by_text("run-summary.json cannot be read")).to_be_visible()
    page = tab.settled(f"/runs?person=ada&run={TUNED}&with={ours.label}")
    expect(page.get_by_text("Two runs")).to_be_visible()
    tab.settled("/?person=ada")
