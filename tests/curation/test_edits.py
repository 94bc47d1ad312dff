"""What was decided by hand holds in every data set, and every memory is accounted for all the same."""

from __future__ import annotations

import random
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from idiolect.config import MODES, CurationRules, Options
from idiolect.curation import Curation, Edit, Message, curate, read_edits, with_edit
from idiolect.errors import DataFault
from idiolect.memories import Memory, Turn
from tests.tiny import SENTENCES

AT = datetime(2026, 9, 14, tzinfo=UTC)
TALK = Memory(
    source="talk",
    type="chat",
    event_id="evt-1",
    turns=(
        Turn("other", "How was it?"),
        Turn("person", "Okay, cold and wet on Ida's boat."),
        Turn("other", "And the bees?"),
        Turn("person", "Asleep."),
    ),
)
NOTE = Memory(source="note", type="journal", turns=(Turn("person", "Rain on the roof all day."),))


def edit(memory: str, do: str, **what: Any) -> Edit:
    name = f"{memory}-{do}-{what}"
    return Edit(id=name, at=AT, memory=memory, do=do, **what)  # type: ignore[arg-type]


def curated(memories: list[Memory], *edits: Edit, **rules: Any) -> Curation:
    return curate(memories, Options(), CurationRules(**rules), edits)


def fates(done: Curation) -> dict[str, str]:
    return {f.memory: f.rule or f.fate for f in done.fates}


def test_a_memory_dropped_by_hand_says_so_in_the_ledger() -> None:
    assert fates(curated([TALK, NOTE], edit("note", "drop"))) == {"talk": "kept", "note": "dropped by hand"}


def test_a_turn_gets_the_persons_own_text_as_they_wrote_it() -> None:
    done = curated(
        [TALK],
        edit("talk", "text", turn=2, was="Okay, cold and wet on Ida's boat.", text="Okay, dry. Mail me: a@b.org"),
        length_policy="cut",
        short_words=1,
    )
    (sample,) = done.samples
    # A filler that they wrote themselves stays; what is private does not.
    assert sample.messages[1] == Message("assistant", "Okay, dry. Mail me: [email]")
    assert done.fates[0].detail == "edited by hand"
    assert not done.fates[0].filler


def test_an_empty_text_leaves_out_one_exchange() -> None:
    (sample,) = curated([TALK], edit("talk", "text", turn=3, was="And the bees?", text="")).samples
    assert [m.content for m in sample.messages] == ["How was it?", "Cold and wet on Ida's boat."]


def test_the_question_that_was_invented_can_be_another() -> None:
    (sample,) = curated([NOTE], edit("note", "text", turn=1, text="Did it leak?")).samples
    assert sample.messages == (Message("user", "Did it leak?"), Message("assistant", "Rain on the roof all day."))
    assert sample.source.prompt_from == "by hand"
    (sample,) = curated([NOTE], edit("note", "text", turn=2, was=NOTE.turns[0].text, text="Rain.")).samples
    assert sample.messages[1].content == "Rain."
    assert sample.source.prompt_from == "invented"


def test_an_edit_of_what_stands_there_no_more_is_said_and_not_applied() -> None:
    for turn, was in ((2, "Something else."), (9, "")):
        done = curated([TALK], edit("talk", "text", turn=turn, was=was, text="Put in blindly."))
        assert "Put in blindly." not in done.samples[0].own_words
        assert done.fates[0].detail == "1 edit not applied, for the memory has changed since"


def test_a_piece_is_masked_wherever_it_stands_and_counted() -> None:
    done = curated([TALK], edit("talk", "mask", text="Ida"), edit("talk", "mask", text="on Ida's boat"))
    assert done.samples[0].messages[1].content == "Cold and wet [masked]."
    assert done.masked == {"[masked]": 1}


def test_the_mode_is_theirs_to_state() -> None:
    (sample,) = curated([TALK], edit("talk", "mode", mode="dual")).samples
    assert (sample.mode, sample.source.mode_from) == ("dual", "by hand")


@pytest.mark.parametrize(
    ("memory", "others", "rules", "rule"),
    [
        (Memory(source="a", type="summary", turns=NOTE.turns), [], {}, "written by a machine"),
        (NOTE, [], {"blocked_words": ["roof"]}, "blocked word"),
        (Memory(source="z", type="journal", turns=NOTE.turns), [NOTE], {}, "said before"),
        (TALK, [Memory(source="x", type="y", turns=NOTE.turns, tags=("feedback",), rejects="evt-1")], {}, "disap"),
    ],
)
def test_rules_that_judge_are_overruled(memory: Memory, others: list[Memory], rules: dict[str, Any], rule: str) -> None:
    assert fates(curated([*others, memory], **rules))[memory.source].startswith(rule)
    kept = curated([*others, memory], edit(memory.source, "keep"), **rules)
    assert fates(kept)[memory.source] == "kept"
    assert {f.memory: f.detail for f in kept.fates}[memory.source] == "kept by hand"


def test_what_this_data_set_is_not_for_stays_out_all_the_same() -> None:
    silent = Memory(source="silent", type="chat", turns=(Turn("other", "Hello?"),))
    done = curate(
        [silent, NOTE], Options(mode="agent"), CurationRules(), [edit("silent", "keep"), edit("note", "keep")]
    )
    assert fates(done) == {"silent": "the person says nothing in it", "note": "another mode"}


def test_an_edited_text_is_held_against_others_as_it_is_now() -> None:
    twin = Memory(source="twin", type="journal", turns=(Turn("person", "Something else entirely, said once."),))
    rewrite = edit("twin", "text", turn=2, was=twin.turns[0].text, text="Rain on the roof all day.")
    assert fates(curated([NOTE, twin], rewrite))["twin"] == "said before"


def test_the_later_of_two_edits_that_decide_the_same_holds() -> None:
    edits: list[Edit] = []
    for one in (edit("a", "drop"), edit("a", "mode", mode="dual"), edit("a", "keep"), edit("a", "mode", mode="agent")):
        edits = with_edit(edits, one)
    assert [(e.do, e.mode) for e in edits] == [("keep", None), ("mode", "agent")]


def test_a_damaged_file_is_refused_by_line(tmp_path: Path) -> None:
    path = tmp_path / "edits.jsonl"
    assert read_edits(path) == []
    path.write_text('{"id": 1}\nnot json\n')
    with pytest.raises(DataFault, match=r"line 1: .*line 2: "):
        read_edits(path)


@pytest.mark.parametrize("seed", range(25))
def test_totals_add_up_under_any_edits(seed: int) -> None:
    """Each memory has one fate, each sample one memory; what was dropped by hand is in none."""
    lot = random.Random(seed)
    words = " ".join(SENTENCES).split()
    memories = []
    for n in range(40):
        said = [" ".join(lot.choices(words, k=lot.randint(1, 8))) for _ in range(lot.randint(1, 4))]
        speakers = lot.choice((("person", "other"), ("other", "person")))
        turns = tuple(Turn(speakers[i % 2], text) for i, text in enumerate(said))  # type: ignore[arg-type]
        kind = lot.choice(("journal", "chat", "summary", "dream"))
        memories.append(Memory(source=f"{n:02}", type=kind, turns=turns, event_id=f"evt-{n}"))
    edits: list[Edit] = []
    for _ in range(60):
        memory = lot.choice(memories)
        turn = lot.randint(1, 5)
        offset = turn - 1 - (memory.turns[0].speaker == "person")
        was = memory.turns[offset].text if 0 <= offset < len(memory.turns) else ""
        text = lot.choice(("", lot.choice(words), memories[lot.randrange(40)].turns[0].text))
        what: dict[str, Any] = {
            "drop": {},
            "keep": {},
            "mode": {"mode": lot.choice(MODES)},
            "text": {"turn": turn, "was": was, "text": text},
            "mask": {"text": lot.choice(words)},
        }
        do = lot.choice(list(what))
        source = lot.choice((memory.source, memory.source, "gone"))
        edits = with_edit(edits, edit(source, do, **what[do]))
    options = Options(max_samples=lot.choice((None, 10)), mode=lot.choice((None, "emulation")))
    done = curate(memories, options, CurationRules(blocked_words=("birds",)), edits)
    assert [f.memory for f in done.fates] == [m.source for m in memories]
    kept = Counter(f.sample for f in done.fates if f.fate == "kept")
    assert kept == Counter(s.id for s in done.samples)
    by_hand = {e.memory for e in edits if e.do == "drop"} - {"gone"}
    assert {f.memory for f in done.fates if f.rule == "dropped by hand"} == by_hand
    for sample in done.samples:
        assert [m.role for m in sample.messages] == ["user", "assistant"] * (len(sample.messages) // 2)
        assert all(m.content for m in sample.messages)
        masks = [e.text for e in edits if e.do == "mask" and e.memory == sample.source.memory]
        invented = sample.source.prompt_from == "invented"
        said = [m.content.replace("[masked]", "") for m in sample.messages[int(invented) :]]
        assert not any(piece in text for piece in masks for text in said if piece not in "[masked]")
