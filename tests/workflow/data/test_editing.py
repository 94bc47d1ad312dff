"""Edits by hand: written, listed, undone; in the next data set and in a run that is gone on with."""

from __future__ import annotations

import msgspec
import pytest

from idiolect.curation import Fate, Sample, read_edits
from idiolect.errors import UserFault
from idiolect.files import remove, write_json
from idiolect.home import FULL, Home
from idiolect.workflow.cycle import resume, run_cycle
from idiolect.workflow.data import editing
from idiolect.workflow.data.dataset import make_dataset
from idiolect.workflow.data.steps import read_lines, read_records
from idiolect.workflow.models import forgetting
from idiolect.workflow.planning.plan import Asked
from idiolect.workflow.records.events import Began
from idiolect.workflow.records.lock import only_run
from tests.conftest import Event, MakePerson
from tests.workflow.test_resume import begun, stop_before


@pytest.fixture
def ada(make_person: MakePerson, talks: list[Event], tiny_base: object) -> str:
    return make_person("ada", talks, base_model=str(tiny_base))


def made(home: Home, person: str) -> tuple[dict[str, Sample], dict[str, Fate]]:
    place, _ = make_dataset(home, Asked(person, {}, {}), lambda *_: None)
    samples = read_records(place.curated, Sample)
    return {s.source.memory: s for s in samples}, {f.memory: f for f in read_lines(place.ledger, Fate)}


def test_edits_hold_in_the_next_data_set_and_can_be_undone(home: Home, ada: str) -> None:
    before, _ = made(home, ada)
    editing.drop(home, ada, "2026/003.json")
    editing.set_text(home, ada, before["2026/004.json"].id, 2, "Said by hand.")
    editing.set_mode(home, ada, f"evt-{5:015}", "dual")
    editing.mask_piece(home, ada, "2026/006.json", "number 6")
    samples, fates = made(home, ada)
    assert fates["2026/003.json"].rule == "dropped by hand"
    assert samples["2026/004.json"].messages[1].content == "Said by hand."
    assert samples["2026/005.json"].mode == "dual"
    assert samples["2026/006.json"].messages[0].content == "What of [masked]?"
    assert len(samples) == len(fates) - sum(f.fate == "dropped" for f in fates.values())
    for listed in editing.listed(home, ada):
        assert not listed.problem
        editing.undo(home, ada, listed.edit.id)
    assert made(home, ada)[0] == before
    assert not home.profile(ada).edits.exists()


def test_restoring_takes_back_a_drop_or_else_keeps(home: Home, ada: str) -> None:
    editing.drop(home, ada, "2026/003.json")
    assert editing.restore(home, ada, "2026/003.json") is None
    assert editing.listed(home, ada) == []
    kept = editing.restore(home, ada, "2026/003.json")
    assert kept
    assert kept.do == "keep"
    editing.drop(home, ada, "2026/003.json")
    assert [e.do for e in read_edits(home.profile(ada).edits)] == ["drop"]


def test_an_edit_whose_memory_is_gone_is_reported_and_waits(home: Home, ada: str) -> None:
    path = home.profile(ada).memories / "2026/004.json"
    content = path.read_bytes()
    editing.set_text(home, ada, "2026/004.json", 2, "Said by hand.")
    editing.mask_piece(home, ada, "2026/004.json", "Said")
    remove(path)
    outcomes: dict[str, str] = {}
    make_dataset(home, Asked(ada, {}, {}), outcomes.__setitem__)
    assert "1 edited by hand, 1 of which are gone" in outcomes["curate"]
    assert {one.problem for one in editing.listed(home, ada)} == {"its memory is gone"}
    write_json(path, {"content": "What else?", "response": "Another text."})
    problems = [one.problem for one in editing.listed(home, ada)]
    assert problems == ["its memory has changed since", "does not stand in it any more"]
    path.write_bytes(content)
    assert made(home, ada)[0]["2026/004.json"].messages[1].content == "[masked] by hand."


def test_edits_are_taken_while_a_run_is_going_on(home: Home, ada: str) -> None:
    with only_run(home.profile(ada), "2026-01-01-000000-abcdef"):
        editing.drop(home, ada, "2026/003.json")
    assert len(read_edits(home.profile(ada).edits)) == 1


def test_what_cannot_be_edited_is_refused_by_name(home: Home, ada: str) -> None:
    write_json(home.profile(ada).memories / "twin.json", {"id": f"evt-{5:015}", "content": "Rain."})
    with pytest.raises(UserFault, match="no memory 'nowhere'"):
        editing.drop(home, ada, "nowhere")
    with pytest.raises(UserFault, match="2 memories call themselves"):
        editing.drop(home, ada, f"evt-{5:015}")
    with pytest.raises(UserFault, match="no turn 3"):
        editing.set_text(home, ada, "2026/003.json", 3, "x")
    with pytest.raises(UserFault, match="does not stand in"):
        editing.mask_piece(home, ada, "2026/003.json", "Xanadu")
    with pytest.raises(UserFault, match="no edit 123456"):
        editing.undo(home, ada, "123456")
    with pytest.raises(UserFault, match="no memory"):
        editing.drop(home, ada, "../../../etc/passwd")


def test_a_memory_opens_with_its_turns_and_what_was_decided(home: Home, ada: str) -> None:
    write_json(home.profile(ada).memories / "note.json", {"type": "summary", "content": "Rain all day."})
    opened = editing.open_memory(home, ada, "note.json")
    assert (opened.rule, opened.sample) == ("written by a machine", None)
    assert [(t.number, t.speaker) for t in opened.turns] == [(1, "other"), (2, "person")]
    editing.restore(home, ada, "note.json")
    editing.set_text(home, ada, "note.json", 1, "And the weather?")
    opened = editing.open_memory(home, ada, "note.json")
    assert [t.edited for t in opened.turns] == ["And the weather?", None]
    assert opened.sample
    assert [m.content for m in opened.sample.messages] == ["And the weather?", "Rain all day."]
    assert len(opened.edits) == 2


def test_what_is_forgotten_is_forgotten_in_the_edits_too(home: Home, ada: str) -> None:
    editing.mask_piece(home, ada, "2026/004.json", "number 4")
    editing.drop(home, ada, "2026/005.json")
    forgetting.take_out(home, ada, forgetting.find(home, ada, forgetting.Wish(memory="2026/004.json")))
    assert [e.memory for e in read_edits(home.profile(ada).edits)] == ["2026/005.json"]


def test_the_file_is_for_people_to_read(home: Home, ada: str) -> None:
    editing.mask_piece(home, ada, "2026/004.json", "number 4")
    (line,) = home.profile(ada).edits.read_bytes().splitlines()
    read = msgspec.json.decode(line)
    assert {k: read[k] for k in ("memory", "do", "text")} == {
        "memory": "2026/004.json",
        "do": "mask",
        "text": "number 4",
    }
    log = next(home.profile(ada).audit.glob("*.ndjson")).read_text()
    assert "dataset_edited" in log
    assert "number 4" not in log


def test_a_run_gone_on_with_does_again_what_an_edit_touches(home: Home, ada: str) -> None:
    told: list[object] = []
    with pytest.raises(KeyboardInterrupt):
        run_cycle(home, Asked(ada, {}, {}), FULL, stop_before("train", told))
    for change in (editing.drop, editing.restore):
        change(home, ada, "2026/003.json")
        told.clear()
        with pytest.raises(KeyboardInterrupt):
            resume(home, ada, None, stop_before("train", told))
        assert begun(told) == ["curate", "format", "schema", "export", "quality", "validate", "prompts", "train"]
        assert next(e.again for e in told if isinstance(e, Began)) == "changed: edits"
    told.clear()
    with pytest.raises(KeyboardInterrupt):
        resume(home, ada, None, stop_before("train", told))
    assert begun(told) == ["train"]


def test_one_event_of_a_list_is_edited_and_forgotten_by_its_number(home: Home, ada: str) -> None:
    day = [{"id": f"evt-frost{n}", "content": f"Frost {n} on {n * 3} boats.", "type": "journal"} for n in (1, 2, 3)]
    path = home.profile(ada).memories / "day.json"
    write_json(path, day)
    editing.set_text(home, ada, "day.json#2", 2, "Said by hand.")
    editing.drop(home, ada, "evt-frost3")
    samples, fates = made(home, ada)
    assert samples["day.json#1"].own_words == "Frost 1 on 3 boats."
    assert samples["day.json#2"].own_words == "Said by hand."
    assert fates["day.json#3"].rule == "dropped by hand"
    assert [one.problem for one in editing.listed(home, ada)] == ["", ""]
    found = forgetting.find(home, ada, forgetting.Wish(memory="day.json#2"))
    forgetting.take_out(home, ada, found)
    assert msgspec.json.decode(path.read_bytes()) == [day[0], None, day[2]]
    assert {e.memory for e in read_edits(home.profile(ada).edits)} == {"day.json#3"}
    samples, fates = made(home, ada)
    assert {name for name in fates if name.startswith("day")} == {"day.json#1", "day.json#3"}
    forgetting.take_out(home, ada, forgetting.find(home, ada, forgetting.Wish(person="Frost")))
    assert not path.exists()
