"""From an export to a run in the list, all of it in the browser: import, choose, train, watch, close, come back."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from idiolect.files import write_json
from idiolect.home import Home, Run
from idiolect.memories.sample_person import sample_events
from idiolect.workflow.runs import standing
from tests.memories.importers.exports import Said, whatsapp
from tests.studio.conftest import Picture, Studio, Tab

pytestmark = pytest.mark.slow

_PATIENCE_SECONDS = 400


def test_an_export_becomes_a_model(tab: Tab, studio: Studio, tmp_path: Path, tiny_base: Path, picture: Picture) -> None:
    talks = [e for e in sample_events() if "response" in e]
    life = [Said(n, n % 2 == 1, str(talks[n // 2]["response" if n % 2 else "content"])) for n in range(160)]
    export = whatsapp(tmp_path, life).rename(tmp_path / "WhatsApp Chat with Anna.txt")

    # No longer than the model's context.
    write_json(studio.home.training_json, {"max_seq_length": 400})

    page = tab.open("/import")
    page.set_input_files("input[type=file]", export)
    page.get_by_text("Which one is you?").wait_for()
    expect(page.get_by_text("160", exact=True)).to_be_visible()
    page.get_by_role("radio", name="Ada Lunde").click()
    page.get_by_label("Person", exact=True).fill("ada")
    picture(tab, "import")
    page.get_by_role("button", name="Import", exact=True).click()
    page.get_by_text("new memories").wait_for()
    assert len(list(studio.home.profile("ada").memories.rglob("*.json"))) == 27
    picture(tab, "import-done")

    page.get_by_role("link", name="Train on them").click()
    page.get_by_role("button", name="Start").wait_for()
    page.get_by_label("base_model").fill(str(tiny_base))
    page.get_by_text("chosen here").first.wait_for()
    assert page.get_by_text("etc/training.json", exact=True).count() == 1
    page.get_by_label("num_train_epochs").fill("10")
    page.get_by_label("learning_rate").fill("0.01")
    page.get_by_text("LlamaForCausalLM").wait_for()
    page.get_by_text("fits").first.wait_for()
    picture(tab, "train-plan")
    page.get_by_role("button", name="Start").click()

    page.wait_for_url("**/train?person=ada&run=*")
    page.get_by_text("learned tokens a second").wait_for(timeout=_PATIENCE_SECONDS * 1000)
    (run,) = studio.home.profile("ada").runs()
    _cancel_and_go_on(page)
    # A second page that watches the same run.
    other = page.context.new_page()
    other.goto(page.url)
    for watching in (page, other):
        watching.get_by_text("learned tokens a second").wait_for(timeout=_PATIENCE_SECONDS * 1000)
    other.close()
    picture(tab, "train-running")
    page.goto("about:blank")  # nobody looks any more
    _wait_until_succeeded(studio.home, run)

    page = tab.open(f"/train?person=ada&run={run.label}")
    page.get_by_text("succeeded").first.wait_for()
    assert _held_out(page.inner_text(".page"))[1] < _held_out(page.inner_text(".page"))[0]
    picture(tab, "train-done")
    tab.open("/runs?person=ada")
    page.get_by_role("link", name=run.label).click()
    report = page.frame_locator("iframe.report")
    report.locator("body").wait_for()
    picture(tab, "runs")
    tab.open("/?person=ada")
    page.get_by_text("Clean-up would free").wait_for()
    expect(page.get_by_text("27", exact=True)).to_be_visible()
    picture(tab, "home")


def _cancel_and_go_on(page: Page) -> None:
    page.get_by_role("button", name="Cancel").click()
    page.get_by_role("button", name="Cancel the run").click()
    page.get_by_text("cancelled", exact=True).wait_for()
    page.get_by_role("button", name="Go on with it").click()
    page.get_by_text("running", exact=True).wait_for()


def _wait_until_succeeded(home: Home, run: Run) -> None:
    until = time.monotonic() + _PATIENCE_SECONDS
    while (now := standing(home.profile("ada"), run)) != "succeeded":
        assert now == "running", run.log.read_text()
        assert time.monotonic() < until, run.log.read_text()
        time.sleep(0.3)


def _held_out(text: str) -> tuple[float, float]:
    before, _, after = text.partition("held-out loss ")[2].partition("\n")[0].partition(" → ")
    return float(before), float(after)
