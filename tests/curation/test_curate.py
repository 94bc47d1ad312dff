from __future__ import annotations

from idiolect.config import CurationRules, Options
from idiolect.curation import Message, Sample, curate
from idiolect.memories import Memory, Turn, Unreadable

RULES = CurationRules()


def said(text: str, *, name: str = "a", kind: str = "journal", **more: object) -> Memory:
    return Memory(source=name, type=kind, turns=(Turn("person", text),), **more)  # type: ignore[arg-type]


def only_sample(memory: Memory, options: Options | None = None) -> Sample:
    (sample,) = curate([memory], options or Options(), RULES).samples
    return sample


def test_a_monologue_gets_a_fitting_prompt_that_stays_the_same() -> None:
    dream = said("The boat flew.", kind="dream", name="2026/a.json")
    first, again = only_sample(dream), only_sample(dream)
    assert first == again
    assert first.messages[0].role == "user"
    assert any(word in first.messages[0].content for word in ("dream", "sleep"))
    assert first.source.prompt_from == "invented"
    prompts = {only_sample(dream, Options(seed=s)).messages[0].content for s in range(20)}
    assert len(prompts) > 2


def test_a_talk_stays_whole_and_ends_in_their_words() -> None:
    talk = Memory(
        source="a",
        type="chat",
        turns=(
            Turn("other", "Hi?"),
            Turn("person", "Hello."),
            Turn("other", "Okay, well?"),
            Turn("person", "Well enough."),
            Turn("other", "Bye."),
        ),
    )
    assert only_sample(talk).messages == (
        Message("user", "Hi?"),
        Message("assistant", "Hello."),
        Message("user", "Okay, well?"),
        Message("assistant", "Well enough."),
    )


def test_only_their_own_words_are_learned_from() -> None:
    done = curate(
        [
            said("They like bees.", name="summary", kind="summary"),
            said("An abstract.", name="tagged", tags=("ingested", "ai", "curated")),
            said("A page of a letter.", name="ai-ingestor/2026/page.json"),
            Memory(source="silent", type="chat", turns=(Turn("other", "Hello?"),)),
            Unreadable("broken", "truncated"),
            said("Sure! ", name="filler"),
            said("Rain.", name="kept"),
        ],
        Options(),
        RULES,
    )
    assert {f.memory: (f.fate, f.rule) for f in done.fates} == {
        "summary": ("dropped", "written by a machine"),
        "tagged": ("dropped", "written by a machine"),
        "ai-ingestor/2026/page.json": ("kept", ""),
        "silent": ("dropped", "the person says nothing in it"),
        "broken": ("dropped", "unreadable"),
        "filler": ("dropped", "nothing left after cleaning"),
        "kept": ("kept", ""),
    }


def test_an_exchange_that_was_nothing_but_filler_goes() -> None:
    talk = Memory(
        source="a",
        type="chat",
        turns=(Turn("other", "So?"), Turn("person", "Certainly!"), Turn("other", "Yes?"), Turn("person", "Rain.")),
    )
    assert [m.content for m in only_sample(talk).messages] == ["Yes?", "Rain."]
    nothing = curate([said("Certainly!")], Options(), RULES)
    assert nothing.samples == []
    assert nothing.fates[0].rule == "nothing left after cleaning"


def test_one_mode_alone_and_a_maximum_leave_a_trace_in_the_ledger() -> None:
    memories = [said(f"Rain number {n}.", name=f"{n}", kind="dream" if n % 2 else "journal") for n in range(10)]
    done = curate(memories, Options(mode="dual", max_samples=3), RULES)
    assert len(done.samples) == 3
    assert sorted(f.rule for f in done.fates) == [""] * 3 + ["another mode"] * 5 + ["not selected"] * 2


def test_colliding_ids_do_not_matter() -> None:
    """MetaHuman OS' ids have a resolution of 0.1 s; a memory is known by its file."""
    done = curate([said("Rain.", name="a/evt-1.json"), said("Snow, then.", name="b/evt-1.json")], Options(), RULES)
    assert len({s.id for s in done.samples}) == 2


def test_feedback_removes_what_it_points_to_and_not_only_itself() -> None:
    memories = [
        said("Wind west.", name="a", event_id="evt-1"),
        said("Snow, later hail.", name="b", event_id="evt-2"),
        said("Not like me.", name="note", tags=("feedback",), rejects="evt-1"),
        said("Said in anger, sorry.", name="own", event_id="evt-3", rejects="evt-3"),
        said("Just like me.", name="up", tags=("feedback", "training-data", "feedback-chat")),
        said("Got feedback on the jam.", name="theirs", tags=("feedback", "jam")),
    ]
    done = curate(memories, Options(), RULES)
    assert {f.memory: f.rule for f in done.fates} == {
        "a": "disapproved of",
        "b": "",
        "note": "feedback",
        "own": "disapproved of",
        "up": "feedback",
        "theirs": "",
    }


def test_blocked_words_and_masked_names() -> None:
    rules = CurationRules(blocked_words=("divorce",), mask_names=("Ragnhild", "Aslak"))
    memories = [
        said("The Divorce was in May.", name="blocked"),
        said("Divorced from reality, Aslak told ragnhild.", name="masked"),
    ]
    done = curate(memories, Options(), rules)
    assert {f.memory: f.rule for f in done.fates} == {"blocked": "blocked word", "masked": ""}
    assert done.samples[0].own_words == "Divorced from reality, [name 2] told [name 1]."


def test_replies_are_cut_only_on_request() -> None:
    long = " ".join(f"Sentence number {n} is here." for n in range(100))
    assert only_sample(said(long)).own_words == long
    rules = CurationRules(length_policy="cut", long_share=0)
    (cut,) = curate([said(long)], Options(), rules).samples
    assert cut.own_words == " ".join(f"Sentence number {n} is here." for n in range(8))
    assert "..." not in cut.own_words


def test_the_ledger_says_what_was_taken_out_of_each_memory() -> None:
    done = curate([said("Okay, write to a@example.org."), said("Rain.", name="b")], Options(), RULES)
    assert [(f.masked, f.filler) for f in done.fates] == [({"[email]": 1}, True), ({}, False)]


def test_two_curations_are_the_same_to_the_byte() -> None:
    import msgspec

    memories = [said(f"Rain number {n}, and then some.", name=f"{n}") for n in range(50)]
    once, again = (curate(memories, Options(max_samples=20), RULES) for _ in range(2))
    assert msgspec.json.encode(once.samples) == msgspec.json.encode(again.samples)
    assert once.fates == again.fates
