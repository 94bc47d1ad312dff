"""Data set, in a browser: two samples are edited and are so in the next data set; twenty thousand scroll smoothly."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from idiolect.curation import Fate, Sample
from idiolect.dataset import TrainingText
from idiolect.files import write_json, write_jsonl
from idiolect.workflow.data_steps import read_lines, read_records
from idiolect.workflow.dataset import make_dataset
from idiolect.workflow.editing import listed
from idiolect.workflow.plan import Asked
from tests.studio.conftest import Picture, Studio, Tab
from tests.tiny import SENTENCES

pytestmark = pytest.mark.slow

SCRIPT = "<script>document.title='taken'</script><img src=x onerror=\"document.title='taken'\"><b>{{7*7}}</b>"
MANY = 20_000
#: Counts tasks of the page that take more than 200 ms.
WATCH = """() => { window.long = []; new PerformanceObserver(seen => {
    for (const task of seen.getEntries()) window.long.push(Math.round(task.duration));
}).observe({type: 'longtask'}); }"""


@pytest.fixture(scope="module")
def ada(studio: Studio, tiny_base: Path) -> Studio:
    """Ada with forty talks, one memory full of script, and one that a machine wrote; and her data set."""
    profile = studio.home.profile("ada")
    words = " ".join(SENTENCES).split()
    talks = [
        {
            "timestamp": f"2026-{1 + n // 28:02}-{1 + n % 28:02}T08:00:00Z",
            "type": ("conversation", "journal", "task")[n % 3],
            "content": f"What of number {n}?",
            "response": " ".join(random.Random(n).choices(words, k=12)),
        }
        for n in range(40)
    ]
    hostile = {"type": "conversation", "content": f"What is {SCRIPT}?", "response": f"I wrote {SCRIPT} once."}
    machine = {"type": "summary", "content": "Ada was at home all day and mended the clock."}
    for number, event in enumerate([*talks, hostile, machine]):
        write_json(profile.memories / f"2026/{number:03}.json", event)
    write_json(profile.training_json, {"base_model": str(tiny_base)})
    make_dataset(studio.home, Asked("ada", {}, {}), lambda *_: None)
    return studio


def opened(page: Page, words: str) -> Locator:
    """Open the one sample that these words find."""
    page.get_by_label("Search").first.fill(words)
    expect(page.get_by_text(re.compile(r"^1 of \d+$")).first).to_be_visible()
    page.locator(".windowed-row:visible").first.click()
    dialog = page.get_by_role("dialog")
    expect(dialog.locator(".rendered")).to_be_visible()
    return dialog


def test_two_samples_are_edited_and_are_so_in_the_next_data_set(ada: Studio, tab: Tab, picture: Picture) -> None:
    page = tab.open("/dataset?person=ada")
    dialog = opened(page, "of number 3?")
    assert "learned" in (dialog.locator(".rendered .learned").first.get_attribute("class") or "")
    dialog.get_by_label("Turn 2").fill("Said on the page.")
    picture(tab, "dataset-memory")
    dialog.get_by_role("button", name="Save this turn").click()
    expect(dialog.get_by_text("edited", exact=True)).to_be_visible()
    page.keyboard.press("Escape")
    dialog = opened(page, "of number 5?")
    dialog.get_by_role("button", name="Drop").click()
    expect(dialog.get_by_role("button", name="Restore")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_text("2026/003.json: turn 2: 'Said on the page.'")).to_be_visible()
    page.get_by_label("Search").first.fill("")
    picture(tab, "dataset")
    page.get_by_role("button", name="Make it anew").click()
    made = ada.home.profile("ada").dataset()
    expect(page.locator(".windowed-row").get_by_text("Said on the page.")).to_be_visible()
    fates = {f.memory: f for f in read_lines(made.ledger, Fate)}
    assert fates["2026/005.json"].rule == "dropped by hand"
    samples = {s.source.memory: s for s in read_records(made.curated, Sample)}
    assert samples["2026/003.json"].messages[1].content == "Said on the page."
    page.get_by_role("button", name="Undo").first.click()
    expect(page.get_by_role("button", name="Undo")).to_have_count(1)
    assert len(listed(ada.home, "ada")) == 1


def test_what_was_left_out_is_filtered_and_restored_with_the_keyboard(ada: Studio, tab: Tab) -> None:
    page = tab.open("/dataset?person=ada")
    page.get_by_label("Search").nth(1).fill("2026/041")
    row = page.locator(".windowed").nth(1).locator(".windowed-row:visible")
    expect(row).to_have_count(1)
    expect(row).to_contain_text("written by a machine")
    row.focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Restore").click()
    expect(dialog.get_by_text("kept, whatever rule judges it")).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    assert [one.edit.do for one in listed(ada.home, "ada") if one.edit.memory == "2026/041.json"] == ["keep"]


def test_a_memory_full_of_script_is_text(ada: Studio, tab: Tab) -> None:
    page = tab.open("/dataset?person=ada")
    dialog = opened(page, "onerror")
    expect(dialog.locator(".rendered")).to_contain_text("<script>document.title='taken'</script>")
    expect(dialog.locator(".rendered")).to_contain_text("{{7*7}}")
    assert dialog.locator("img, script, b").count() == 0
    dialog.get_by_label("A piece to mask, letter by letter").fill("<b>{{7*7}}</b>")
    dialog.get_by_role("button", name="Mask it").click()
    expect(dialog.get_by_text("masked: '<b>{{7*7}}</b>'")).to_be_visible()
    dialog.get_by_label("Mode").click()
    page.get_by_role("option", name="dual").click()
    expect(dialog.get_by_text("2026/040.json: mode dual")).to_be_visible()
    page.keyboard.press("Escape")
    assert "taken" not in page.title()


@pytest.fixture(scope="module")
def many(studio: Studio) -> str:
    """A person whose data set has twenty thousand samples."""
    profile = studio.home.profile("many")
    write_json(profile.memories / "a.json", {"content": "Rain."})
    made = profile.dataset()
    text = "<|im_start|>user\nWhat of {n}?<|im_end|>\n<|im_start|>assistant\nNumber {n}, {words}<|im_end|>\n"
    words = "and the wind was in the north all day, and nobody came. " * 6

    def line(n: int) -> TrainingText:
        said = text.format(n=n, words=words)
        start = said.index("Number")
        return TrainingText(id=f"{n:012x}", split="train", mode="dual", text=said, learned=((start, len(said) - 1),))

    write_jsonl(made.dataset, (line(n) for n in range(MANY)))
    write_jsonl(made.ledger, (Fate(memory=f"{n:06}.json", fate="train", sample=f"{n:012x}") for n in range(MANY)))
    return "many"


def test_twenty_thousand_samples_scroll_without_a_long_task(many: str, tab: Tab) -> None:
    page = tab.open(f"/dataset?person={many}")
    expect(page.get_by_text(f"{MANY:,} samples")).to_be_visible()
    page.evaluate(WATCH)
    frame = page.locator(".windowed").first
    for top in range(0, MANY * 58, MANY * 58 // 60):
        frame.evaluate("(frame, top) => { frame.scrollTop = top }", top)
        page.wait_for_timeout(50)
    frame.evaluate("frame => { frame.scrollTop = frame.scrollHeight }")
    expect(frame.get_by_text(f"Number {MANY - 1},")).to_be_visible()
    assert page.locator(".windowed-row").count() < 100
    page.wait_for_timeout(200)
    long = page.evaluate("window.long")
    assert not [ms for ms in long if ms > 200], long
