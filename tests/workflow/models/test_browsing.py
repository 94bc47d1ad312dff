"""A data set is looked through: found by words, mode, split and rule; nothing is left out of its totals."""

from __future__ import annotations

import pytest

from idiolect.curation import Fate
from idiolect.dataset import TrainingText
from idiolect.errors import UserFault
from idiolect.evaluation import Evaluation
from idiolect.files import write_json, write_jsonl
from idiolect.home import Home
from idiolect.workflow.data import editing
from idiolect.workflow.models.browsing import browse, find_fates, find_samples, own_words, parts
from tests.conftest import MakeRun
from tests.evaluation.conftest import evaluation
from tests.workflow.data.test_editing import ada, made

__all__ = ["ada", "evaluation"]


def test_samples_and_memories_are_found(home: Home, ada: str) -> None:
    with pytest.raises(UserFault, match="No data set of ada"):
        browse(home, ada)
    editing.drop(home, ada, "2026/003.json")
    made(home, ada)
    found = browse(home, ada)
    assert browse(home, ada) is found
    assert found.quality
    assert found.quality.samples == len(found.samples) == 39
    assert sum(found.rules().values()) == len(found.fates) == 40
    assert found.rules()["dropped by hand"] == 1
    assert [found.fates[p].memory for p in find_fates(found, "", "dropped by hand")] == ["2026/003.json"]
    assert [found.fates[p].memory for p in find_fates(found, "2026/01", "held_out")] == [
        f.memory for f in found.fates if f.memory.startswith("2026/01") and f.fate == "held_out"
    ]
    assert find_samples(found) == list(range(39))
    assert len(find_samples(found, mode="agent", split="train")) + len(
        find_samples(found, mode="agent", split="held_out")
    )
    (place,) = find_samples(found, "of NUMBER 17?")
    assert [place] == find_samples(found, "2026/017")
    sample = found.samples[place]
    assert found.of_memory()[sample.id].memory == "2026/017.json"
    assert "".join(text for text, _ in parts(sample)) == sample.text
    assert [text for text, learned in parts(sample) if learned] == [sample.text[a:b] for a, b in sample.learned]
    assert own_words(sample).startswith(sample.text[sample.learned[0][0] :][:20].split()[0])
    editing.drop(home, ada, "2026/004.json")
    made(home, ada)
    assert browse(home, ada) is not found


def test_the_data_set_of_a_run_is_shown_with_what_its_evaluation_says(
    home: Home, ada: str, make_run: MakeRun, evaluation: Evaluation
) -> None:
    run = make_run("2026-01-01")
    text = TrainingText(id="a", split="train", mode="dual", text="Rain.", learned=((0, 5),))
    write_jsonl(run.dataset, [text])
    write_jsonl(run.ledger, [Fate(memory="a.json", fate="train", sample="a")])
    assert browse(home, ada, run.label).quality is None
    write_json(run.evaluation, evaluation)
    write_jsonl(run.dataset, [text, text])
    for found in (browse(home, ada, run.label), browse(home, ada)):
        assert (found.name, len(found.samples)) == (run.label, 2)
        assert found.quality == evaluation.made_of.quality
