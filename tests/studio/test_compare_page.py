"""Compare, in a browser: models answer side by side, are judged, stopped, and told blind."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest
from playwright.sync_api import expect

from idiolect.evaluation import Evaluation, read_evaluation
from idiolect.files import write_json
from idiolect.home import Run
from idiolect.workflow.models.publish import promote
from tests.evaluation.conftest import evaluation
from tests.runs import write_run
from tests.studio.conftest import Picture, Studio, Tab
from tests.tiny import SPECIAL, write_model, write_tokenizer

__all__ = ["evaluation"]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def runs(studio: Studio, tiny_base: Path) -> list[Run]:
    """Two runs of Ada, the first of which is published."""
    write_json(studio.home.profile("ada").memories / "a.json", {"content": "Rain."})
    first, second = (write_run(studio.home, tiny_base, day) for day in ("2026-01-01", "2026-02-01"))
    promote(studio.home, "ada", first.label)
    return [first, second]


@pytest.fixture(scope="module")
def slow_speaker(studio: Studio, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """An older run, of a model that says as much as it may, which takes it some seconds."""
    base = tmp_path_factory.mktemp("slow") / "base"
    write_model(base, "Llama", hidden_size=512, intermediate_size=2048, num_hidden_layers=8)
    write_tokenizer(base)
    _never_end(base)
    write_json(studio.home.profile("ada").memories / "a.json", {"content": "Rain."})
    return write_run(studio.home, base, "2025-01-01")


def _never_end(base: Path) -> None:
    """Make the tokens that end a turn far less likely than others."""
    from safetensors.torch import load_file, save_file
    from tokenizers import Tokenizer

    file = base / "model.safetensors"
    weights, tokenizer = load_file(file), Tokenizer.from_file(str(base / "tokenizer.json"))
    for token in SPECIAL:
        weights["lm_head.weight"][tokenizer.token_to_id(token)] = 0
    save_file(weights, file, metadata={"format": "pt"})


def test_models_answer_side_by_side_and_are_judged(studio: Studio, runs: list[Run], tab: Tab, picture: Picture) -> None:
    page = tab.open("/compare?person=ada")
    columns = [page.get_by_role("group", name=name, exact=True) for name in ("base", "previous", "new")]
    expect(columns[2]).to_contain_text(runs[1].label)
    expect(columns[1]).to_contain_text(runs[0].label)
    page.get_by_role("button", name="dual").click()
    page.get_by_label("Say something").fill("<b>Who</b> are you?")
    page.keyboard.press("Enter")
    for column in columns:
        expect(column.get_by_role("button", name="I would say that")).to_be_visible()
        expect(column.get_by_text("<b>Who</b> are you?")).to_be_visible()
        assert len(column.locator(".said").nth(1).inner_text()) > 1
    expect(page.get_by_role("button", name="Stop")).to_be_disabled()
    columns[1].get_by_role("button", name="I would not").click()
    expect(columns[1].get_by_text("It is not learned.")).to_be_visible()
    columns[2].get_by_role("button", name="I would say it like this").click()
    columns[2].get_by_label("Your own words").fill("Ada, and <i>you</i>?")
    picture(tab, "compare")
    columns[2].get_by_role("button", name="Keep my words").click()
    expect(columns[2].get_by_text("Your words are learned")).to_be_visible()
    written = [json.loads(path.read_bytes()) for path in studio.home.profile("ada").feedback.glob("*.json")]
    own = [e for e in written if e["metadata"]["reinforcementSignal"] == 1]
    assert [(e["content"], e["response"]) for e in own] == [("<b>Who</b> are you?", "Ada, and <i>you</i>?")]
    # Models of the same weights say the same: it is one answer, of which the last opinion holds.
    assert len(written) == 2
    assert own[0]["metadata"]["model"] == runs[1].label
    assert {e["metadata"]["cognitiveMode"] for e in written} == {"dual"}
    page.get_by_role("button", name="New talk").click()
    expect(page.locator(".said")).to_have_count(0)


def test_which_answer_is_theirs_is_told_blind(
    runs: list[Run], tab: Tab, picture: Picture, evaluation: Evaluation
) -> None:
    run = runs[1]
    write_json(run.evaluation, msgspec.structs.replace(evaluation, person="ada", label=run.label))
    run.report.write_text("")
    page = tab.open("/compare?person=ada")
    page.get_by_role("button", name="Begin").click()
    for number in range(1, 4):
        expect(page.get_by_text(f"{number} of 12: which is yours?")).to_be_visible()
        if number == 1:
            picture(tab, "compare-blind")
        page.locator(".pair .said").first.click()
    page.get_by_role("button", name="That is enough").click()
    expect(page.get_by_text("of 3 told right")).to_be_visible()
    kept = read_evaluation(run.evaluation.read_bytes()).blind
    assert kept
    assert kept.asked == 3


def test_what_is_being_said_is_stopped(tab: Tab, slow_speaker: Run) -> None:
    page = tab.open(f"/compare?person=ada&run={slow_speaker.label}")
    new = page.get_by_role("group", name="new", exact=True)
    expect(new).to_be_visible()
    page.get_by_label("Say something").fill("Tell me everything.")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_role("button", name="Say it", exact=True)).to_be_enabled()
    expect(page.get_by_role("button", name="Stop")).to_be_disabled()
    # The first may have begun; the last has not.
    expect(new.get_by_text("(nothing was said)")).to_be_visible()
    expect(new.get_by_role("button", name="I would say that")).to_have_count(0)
