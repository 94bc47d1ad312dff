from __future__ import annotations

from collections import Counter

from idiolect.config import CurationRules, Options
from idiolect.curation import Message, Sample, curate, prepare_all, settle
from idiolect.files import write_json
from idiolect.home import Home, Profile
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


def asked_and_answered(profile: Profile, rules: CurationRules) -> tuple[Sample, list[str]]:
    """Write a saved question and, far from it, its answer; return the sample and the rules of the ledger."""
    curiosity = {
        "questionId": "q1",
        "questionText": "Why an island, ragnhild@example.org?",
        "isCuriosityQuestion": True,
    }
    question = {"type": "conversation", "content": "Why an island?", "metadata": {"curiosity": curiosity}}
    write_json(profile.memories / "2026/z.json", question)
    answer = {"type": "conversation", "content": 'Me: "It was cheap."', "response": "Thanks for telling me!"}
    write_json(profile.memories / "2025/a.json", {**answer, "metadata": {"curiosity": {"answerTo": "q1"}}})
    done = settle(prepare_all(profile, Options(), rules), Options(), rules)
    (sample,) = done.samples
    return sample, [f.rule for f in done.fates]


def test_an_answer_gets_the_question_that_was_saved_in_another_memory(home: Home) -> None:
    for _ in range(2):  # the second time from what is remembered
        sample, rules = asked_and_answered(home.profile("ada"), RULES)
        assert [m.content for m in sample.messages] == ["Why an island, [email]?", "It was cheap."]
        assert sample.source.prompt_from == "memory"
        assert rules == ["", "written by a machine"]


def test_a_saved_question_with_a_blocked_word_in_it_stands_nowhere(home: Home) -> None:
    sample, _ = asked_and_answered(home.profile("ada"), CurationRules(blocked_words=("island",)))
    assert sample.source.prompt_from == "invented"
    assert "island" not in sample.messages[0].content


def test_too_much_inner_life_is_left_out_by_a_rule_of_its_own() -> None:
    dreams = [said(f"Dream {n} of {n * 7} boats and {n * 13} bees.", name=f"d{n:03}", kind="dream") for n in range(90)]
    days = [said(f"Day {n}: {n * 5} jars, {n * 11} miles.", name=f"j{n:03}") for n in range(200)]
    thought = Memory(source="t", type="inner_dialogue", turns=(Turn("other", "Well?"), Turn("person", "Well, well.")))
    done = curate([*dreams, *days, thought], Options(), RULES)
    assert Counter(f.rule for f in done.fates) == {"": 261, "too much inner life": 30}
    assert all(f.memory.startswith("d") for f in done.fates if f.rule)
    free = curate([*dreams, *days], Options(), CurationRules(inner_life_share=1))
    assert Counter(f.rule for f in free.fates) == {"": 290}
    none = curate([*dreams, *days], Options(), CurationRules(inner_life_share=0))
    assert Counter(f.rule for f in none.fates) == {"": 200, "too much inner life": 90}


def test_the_selection_is_said_in_words() -> None:
    memories = [said(f"Day {n}: {n * 5} jars, {n * 11} miles.", name=f"{n}") for n in range(50)]
    assert curate(memories, Options(), RULES).selection == ""
    assert curate(memories, Options(max_samples=20), RULES).selection == "20 of 50, spread over time"
