"""Data set, in a browser: what was left out is restored, script is text, twenty thousand samples scroll smoothly."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from idiolect.curation import Fate
from idiolect.dataset import TrainingText
from idiolect.files import write_json, write_jsonl
from idiolect.workflow.data.dataset import make_dataset
from idiolect.workflow.data.editing import listed
from idiolect.workflow.planning.plan import Asked
from tests.studio.conftest import Studio, Tab
from tests.tiny import SENTENCES

pytestmark = pytest.mark.slow

SCRIPT = "<script>document.title='taken'</script><img src=x onerror=\"document.title='taken'\"><b>{{7*7}}</b>"
MANY = 20_000
ROUNDS = 4
#: Counts tasks of the page that take more than 200 ms.
WATCH = """() => { window.watch?.disconnect(); window.long = []; window.watch = new PerformanceObserver(seen => {
    for (const task of seen.getEntries()) window.long.push(Math.round(task.duration));
}); window.watch.observe({type: 'longtask'}); }"""


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


def test_what_was_left_out_is_filtered_restored_and_left_out_again_with_the_keyboard(ada: Studio, tab: Tab) -> None:
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
    assert _edits(ada, "2026/041.json") == ["keep"]
    decided = page.locator(".edit").filter(has_text="2026/041.json")
    decided.get_by_role("button", name="Undo").focus()
    page.keyboard.press("Enter")
    expect(decided).to_have_count(0)
    assert _edits(ada, "2026/041.json") == []


def _edits(studio: Studio, memory: str) -> list[str]:
    return [one.edit.do for one in listed(studio.home, "ada") if one.edit.memory == memory]


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
    # What else this computer does may hold the page up once; a page that is slow is so each time.
    rounds = [_long_tasks_of_a_scroll(page)]
    while rounds[-1] and len(rounds) < ROUNDS:
        rounds.append(_long_tasks_of_a_scroll(page))
    assert not rounds[-1], rounds


def _long_tasks_of_a_scroll(page: Page) -> list[int]:
    """Scroll from the first to the last sample; return the milliseconds of tasks over 200."""
    frame = page.locator(".windowed").first
    frame.evaluate("frame => { frame.scrollTop = 0 }")
    expect(frame.get_by_text("Number 0,")).to_be_visible()
    page.evaluate(WATCH)
    for top in range(0, MANY * 58, MANY * 58 // 60):
        frame.evaluate("(frame, top) => { frame.scrollTop = top }", top)
        page.wait_for_timeout(50)
    frame.evaluate("frame => { frame.scrollTop = frame.scrollHeight }")
    expect(frame.get_by_text(f"Number {MANY - 1},")).to_be_visible()
    assert page.locator(".windowed-row").count() < 100
    page.wait_for_timeout(200)
    return [ms for ms in page.evaluate("window.long") if ms > 200]
