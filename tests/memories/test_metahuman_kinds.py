"""Every kind of event that MetaHuman OS writes, as its own writers wrote them: what is learned of it, and what is not.

    metahuman_events/<kind>.jsonl    events by its writers at eabcdc93 (2025-11-22); new-…: in the forms of 0edce518

What is right is taken from each event here by simple means, and never by the code that reads it.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from idiolect.config import CurationRules, Options
from idiolect.curation import Fate, Sample, prepare_all, settle
from idiolect.files import write_json
from idiolect.home import Home, Profile

EVENTS = Path(__file__).parent / "metahuman_events"
KINDS = sorted(path.stem for path in EVENTS.glob("*.jsonl"))
MACHINE = "written by a machine"

Event = dict[str, Any]
#: What is said to the person, and what they say; without a prompt, where one is invented.
Exchange = tuple[str | None, str]


def tidy(text: str) -> str:
    """Fillers and stray white space are curation's matter; words are compared."""
    return " ".join(text.split())


def labelled(event: Event) -> list[Exchange]:
    said, answered = event["content"].removeprefix("User: ").split("\n\nAssistant: ")
    return [(said, answered)]


def wrapped(event: Event) -> list[Exchange]:
    return [(event["content"].removeprefix('Me: "').removesuffix('"'), event["response"])]


def alone(event: Event) -> list[Exchange]:
    return [(None, event.get("observation") or event["content"])]


def pair(said: str, answered: str) -> Callable[[Event], list[Exchange]]:
    return lambda event: [(event[said], event[answered])]


def messages(event: Event) -> list[Exchange]:
    said = [m["content"] for m in event["messages"] if m["role"] != "system"]
    return list(zip(said[::2], said[1::2], strict=True))


#: Kind → what is learned of an event, or the rule by which nothing is, and its detail.
RIGHT: dict[str, Callable[[Event], list[Exchange]] | tuple[str, str]] = {
    "chat-graph": labelled,
    **dict.fromkeys(("chat-legacy", "chat-legacy-inner", "chat-legacy-long", "duplicate"), wrapped),
    **dict.fromkeys(("inner-graph", "dream", "reflection", "journal", "capture-web", "capture-cli"), alone),
    **dict.fromkeys(("ingestor", "ai-ingestor", "observation-key"), alone),
    **dict.fromkeys(("action", "tool_use"), pair("content", "response")),
    "prompt-response": pair("prompt", "response"),
    "question-answer": pair("question", "answer"),
    "messages": messages,
    "curiosity-reply": lambda e: [(e["metadata"]["replyTo"]["content"], wrapped(e)[0][0] or "")],
    "new-card_response": lambda e: [(e["metadata"]["userMessage"], e["metadata"]["assistantResponse"])],
    "new-chat-export": lambda _: [("Are you coming on Sunday?", "Yes, with the boat.")],
    "empty-response": ("the person says nothing in it", ""),
    "new-feedback": ("feedback", ""),
    "curiosity-question-saved": (MACHINE, "question to the person"),
    "inner-curiosity": (MACHINE, "question to itself"),
    "research": (MACHINE, "research"),
    "audio": (MACHINE, "audio summary"),
    "summary": (MACHINE, "summary"),
    **dict.fromkeys(("tool-graph", "tool-react"), (MACHINE, "tool call")),
    "new-agency": (MACHINE, "agency"),
    "new-drift": (MACHINE, "drift"),
    "new-curator": (MACHINE, "curator"),
    "new-calendar": (MACHINE, "calendar"),
    "new-photo": (MACHINE, "photo"),
}


def events_of(kind: str) -> list[Event]:
    return [msgspec.json.decode(line) for line in (EVENTS / f"{kind}.jsonl").read_bytes().splitlines()]


def curated(profile: Profile, events: list[Event], rules: CurationRules | None = None) -> list[tuple[Fate, Any]]:
    """Return the fate of each event, and the sample that it comes to by itself: not whether others say the same."""
    rules = rules or CurationRules(mask=())
    for number, event in enumerate(events):
        write_json(profile.memories / f"2025/10/{number:03}.json", event)
    drafts = prepare_all(profile, Options(), rules)
    return [(d.fate, msgspec.json.decode(d.sample, type=Sample) if d.sample else None) for d in drafts]


@pytest.fixture
def greg(home: Home) -> Profile:
    return home.profile("greg")


def test_all_handed_events_are_here_and_each_kind_is_judged() -> None:
    assert sum(len(events_of(kind)) for kind in KINDS) == 197
    assert {*KINDS} == {*RIGHT, "chat-legacy-filler", "secret"}


@pytest.mark.parametrize("kind", [kind for kind, right in RIGHT.items() if callable(right)])
def test_what_the_person_says_is_learned_and_nothing_else(greg: Profile, kind: str) -> None:
    right, events = RIGHT[kind], events_of(kind)
    assert callable(right)
    for event, (fate, sample) in zip(events, curated(greg, events), strict=True):
        assert fate.fate == "kept", fate
        said = [tidy(m.content) for m in sample.messages]
        invented = sample.source.prompt_from == "invented"
        for number, (prompt, reply) in enumerate(right(event)):
            assert invented == (prompt is None)
            assert prompt is None or said[2 * number] == tidy(prompt)
            assert said[2 * number + 1] == tidy(reply)
        assert len(said) == 2 * len(right(event))


@pytest.mark.parametrize("kind", [kind for kind, right in RIGHT.items() if not callable(right)])
def test_of_what_a_machine_wrote_nothing_is_learned_and_the_ledger_says_why(greg: Profile, kind: str) -> None:
    for fate, sample in curated(greg, events_of(kind)):
        assert sample is None
        assert (fate.rule, fate.detail) == RIGHT[kind]


def test_fillers_go_and_what_is_left_is_the_persons(greg: Profile) -> None:
    for event, (_, sample) in zip(fillers := events_of("chat-legacy-filler"), curated(greg, fillers), strict=True):
        assert tidy(sample.messages[0].content) == tidy(wrapped(event)[0][0] or "")
        # What came after a filler begins with a capital now.
        assert all(line[1:] in event["response"] for line in sample.own_words.splitlines())


def test_what_is_private_is_masked_in_them_too(greg: Profile) -> None:
    for _, sample in curated(greg, events_of("secret"), CurationRules()):
        assert [m.content for m in sample.messages][:1] == ["What is your mail?"]
        assert "[email]" in sample.own_words
        assert "[phone]" in sample.own_words


def test_a_whole_profile_of_all_kinds(greg: Profile) -> None:
    """No rule of one kind takes another's memories, and what is inner life in it is little enough to be kept."""
    for kind in KINDS:
        for number, event in enumerate(events_of(kind)):
            write_json(greg.memories / kind / f"{number:03}.json", event)
    rules = CurationRules()
    done = settle(prepare_all(greg, Options(), rules), Options(), rules)
    dropped = {
        f.memory.partition("/")[0] for f in done.fates if f.rule not in ("", "said before", "nearly said before")
    }
    assert dropped == {kind for kind, right in RIGHT.items() if not callable(right)}
    own_words = "\n".join(s.own_words for s in done.samples)
    assert not any(label in own_words for label in ("User:", "Assistant:", 'Me: "', "💭", "🔍", "Card Response"))
