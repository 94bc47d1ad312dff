"""A data set is looked through: found by words, mode, split and rule; nothing is left out of its totals."""

from __future__ import annotations

import pytest

from idiolect.errors import UserFault
from idiolect.home import Home
from idiolect.workflow import editing
from idiolect.workflow.browsing import browse, find_fates, find_samples, own_words, parts
from tests.workflow.test_editing import ada, made

__all__ = ["ada"]


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
