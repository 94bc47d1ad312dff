"""What a person does on the pages between an export and a run that goes on."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Locator, Page, expect

from idiolect.memories.sample_person import sample_events
from tests.memories.importers.exports import Said, whatsapp
from tests.studio.conftest import Picture, Tab

MINE = "That is what the page says I said."


def write_export(folder: Path) -> Path:
    talks = [e for e in sample_events() if "response" in e]
    life = [Said(n, n % 2 == 1, str(talks[n // 2]["response" if n % 2 else "content"])) for n in range(160)]
    return whatsapp(folder, life).rename(folder / "WhatsApp Chat with Anna.txt")


def import_export(tab: Tab, export: Path, picture: Picture) -> None:
    page = tab.open("/import")
    page.set_input_files("input.files", export)
    page.get_by_text("Which one is you?").wait_for()
    expect(page.get_by_text("160", exact=True)).to_be_visible()
    page.get_by_role("radio", name="Ada Lunde").click()
    page.get_by_label("Person", exact=True).fill("ada")
    picture(tab, "import")
    page.get_by_role("button", name="Import", exact=True).click()
    page.get_by_text("new memories").wait_for()
    picture(tab, "import-done")


def edit_two(tab: Tab, picture: Picture) -> tuple[str, str]:
    """Reword a turn of one sample and drop another; return their memories."""
    page = tab.open("/dataset?person=ada")
    page.get_by_role("button", name="Make it").click()
    dialog = open_memory(page, 0)
    expect(dialog.locator(".rendered .learned").first).to_be_visible()
    edited = dialog.get_by_role("heading").first.inner_text()
    dialog.get_by_label("Turn 2").fill(MINE)
    picture(tab, "dataset-memory")
    dialog.get_by_role("button", name="Save this turn").click()
    expect(dialog.get_by_text("edited", exact=True)).to_be_visible()
    close(page, dialog)
    dialog = open_memory(page, 6)  # the rows next to the first are other texts of the same memory
    dropped = dialog.get_by_role("heading").first.inner_text()
    dialog.get_by_role("button", name="Drop").click()
    expect(dialog.get_by_role("button", name="Restore")).to_be_visible()
    close(page, dialog)
    expect(page.get_by_text(f"{edited}: turn 2: '{MINE}'")).to_be_visible()
    page.get_by_role("button", name="Make it anew").click()
    expect(page.locator(".windowed-row").get_by_text(MINE).first).to_be_visible()
    picture(tab, "dataset")
    return edited, dropped


def open_memory(page: Page, place: int) -> Locator:
    page.locator(".windowed").first.locator(".windowed-row:visible").nth(place).click()
    dialog = page.get_by_role("dialog")
    expect(dialog.locator(".rendered")).to_be_visible()
    return dialog


def close(page: Page, dialog: Locator) -> None:
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)


def start_run(tab: Tab, picture: Picture) -> None:
    page = tab.open("/train?person=ada")
    page.get_by_label("num_train_epochs").fill("15")
    page.get_by_label("learning_rate").fill("0.01")
    expect(page.get_by_text("chosen here", exact=True)).to_have_count(2)
    expect(page.get_by_text("etc/training.json", exact=True)).to_have_count(4)
    page.get_by_text("LlamaForCausalLM").wait_for()
    page.get_by_text("fits").first.wait_for()
    picture(tab, "train-plan")
    page.get_by_role("button", name="Start").click()
    page.wait_for_url("**/train?person=ada&run=*")
