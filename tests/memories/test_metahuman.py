from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idiolect.memories import Memory, Turn, read_event

SHAPES: list[tuple[dict[str, Any], tuple[Turn, ...]]] = [
    ({"content": "Hi?", "response": "Hello."}, (Turn("other", "Hi?"), Turn("person", "Hello."))),
    ({"prompt": "Hi?", "response": "Hello."}, (Turn("other", "Hi?"), Turn("person", "Hello."))),
    ({"question": "Hi?", "answer": "Hello."}, (Turn("other", "Hi?"), Turn("person", "Hello."))),
    ({"observation": "Rain."}, (Turn("person", "Rain."),)),
    ({"content": " Rain.\n"}, (Turn("person", "Rain."),)),
    ({"content": "Rain.", "response": "  "}, (Turn("person", "Rain."),)),
    (
        {
            "messages": [
                {"role": "system", "content": "x"},
                {"role": "user", "content": "a"},
                {"role": "user", "content": "b"},
                {"role": "assistant", "content": "c"},
                {"role": "assistant", "content": None},
                "noise",
            ]
        },
        (Turn("other", "a\nb"), Turn("person", "c")),
    ),
]


PARTS = [{"type": "text", "text": "a"}, {"type": "image_url", "image_url": {"url": "x"}}, "b", {"text": 5}]
SHAPES += [
    ({"content": 'Me: "Hi?"', "response": "Hello."}, (Turn("other", "Hi?"), Turn("person", "Hello."))),
    ({"content": 'Me: "Hi?"', "type": "conversation"}, (Turn("other", "Hi?"),)),
    ({"content": 'Me: "Hi?"', "type": "journal"}, (Turn("person", 'Me: "Hi?"'),)),
    ({"content": "", "response": "Hello."}, (Turn("person", "Hello."),)),
    ({"content": 'Me: ""', "response": "Hello."}, (Turn("person", "Hello."),)),
    ({"content": None, "prompt": " ", "response": "Hello."}, (Turn("person", "Hello."),)),
    ({"content": "Rain.", "answer": "Hello."}, (Turn("person", "Rain."),)),
    ({"messages": [], "content": "Rain."}, (Turn("person", "Rain."),)),
    ({"messages": [{"role": "user", "content": PARTS}]}, (Turn("other", "a\nb"),)),
    ({"content": PARTS, "response": [{"text": "c"}]}, (Turn("other", "a\nb"), Turn("person", "c"))),
    ({"content": "User: a?\n\nAssistant: b."}, (Turn("other", "a?"), Turn("person", "b."))),
    ({"content": "User: a?", "response": "b.", "type": "chat"}, (Turn("other", "a?"), Turn("person", "b."))),
    ({"content": "User: that is me.", "type": "journal"}, (Turn("person", "User: that is me."),)),
    ({"content": "Hi?", "response": "<think>x</think>Hello."}, (Turn("other", "Hi?"), Turn("person", "Hello."))),
    ({"content": "Hi?", "response": "<think>x"}, (Turn("other", "Hi?"),)),
    (
        {"content": "Why <think>x</think>?", "response": "So."},
        (Turn("other", "Why <think>x</think>?"), Turn("person", "So.")),
    ),
    (
        {"content": "User: a?\n\nAssistant: <think>x\n\nUser: b?\n\nAssistant: <think>y</think>c."},
        (Turn("other", "b?"), Turn("person", "c.")),
    ),
    ({"content": "Persona Notes - Self-Reflection\n\nI am slow."}, (Turn("person", "I am slow."),)),
    (
        {"content": "Quick Personality Survey - Onboarding\n\nInterviewer: a?\n\nYou: b."},
        (Turn("other", "a?"), Turn("person", "b.")),
    ),
]


@pytest.mark.parametrize(("event", "turns"), SHAPES)
def test_every_shape_is_read(event: dict[str, Any], turns: tuple[Turn, ...]) -> None:
    assert read_event(event, "x.json").turns == turns


def test_what_an_event_says_of_itself_is_kept() -> None:
    memory = read_event(
        {
            "content": "Rain.",
            "type": "dream",
            "timestamp": "2026-05-01T01:00:00+02:00",
            "tags": ["a", 1, "b"],
            "metadata": {"cognitiveMode": "agent", "conversationId": "c1"},
        },
        "x.json",
    )
    assert memory == Memory(
        source="x.json",
        type="dream",
        turns=(Turn("person", "Rain."),),
        timestamp=datetime(2026, 4, 30, 23, tzinfo=UTC),
        tags=("a", "b"),
        mode="agent",
        conversation="c1",
        metadata={"cognitiveMode": "agent", "conversationId": "c1"},
    )


@pytest.mark.parametrize(
    "timestamp", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "10000-01-01", "yesterday", 5, None]
)
def test_an_impossible_date_is_none(timestamp: Any) -> None:
    assert read_event({"content": "Rain.", "timestamp": timestamp}, "x.json").timestamp is None


def test_dates_before_1970_are_dates() -> None:
    moment = read_event({"content": "Rain.", "timestamp": "1660-01-01T08:25:00Z"}, "x.json").timestamp
    assert moment == datetime(1660, 1, 1, 8, 25, tzinfo=UTC)


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
TEXTS = ["content", "response", "prompt", "question", "answer", "observation"]
FIELDS = [*TEXTS, "messages", "type", "timestamp", "tags", "metadata"]


@given(st.dictionaries(st.sampled_from(FIELDS), anything) | anything)
def test_wrong_types_anywhere_never_crash(event: Any) -> None:
    try:
        memory = read_event(event, "x.json")
    except ValueError:
        return
    assert all(turn.text.strip() for turn in memory.turns)


ANSWER: dict[str, Any] = {"type": "conversation", "content": 'Me: "Bees."', "response": "Thank you for sharing!"}


@pytest.mark.parametrize(
    ("metadata", "turns"),
    [
        (
            {"curiosity": {"answerTo": "q1"}, "replyTo": {"content": "Why?"}},
            (Turn("other", "Why?"), Turn("person", "Bees.")),
        ),
        ({"replyTo": {"content": "Why?", "source": "curiosity"}}, (Turn("other", "Why?"), Turn("person", "Bees."))),
        ({"curiosity": {"answerTo": "q1"}}, (Turn("person", "Bees."),)),
        # Replying to a message of the model's is an ordinary chat: the model speaks as the person.
        (
            {"replyTo": {"content": "I like bees.", "source": "message_selection"}},
            (Turn("other", "Bees."), Turn("person", "Thank you for sharing!")),
        ),
    ],
)
def test_of_an_answered_question_the_answer_is_the_persons(metadata: dict[str, Any], turns: tuple[Turn, ...]) -> None:
    assert read_event({**ANSWER, "metadata": metadata}, "x.json").turns == turns


def test_an_answered_question_in_the_form_of_the_graphs() -> None:
    event = {"content": "User: Bees.\n\nAssistant: Thanks!", "metadata": {"curiosity": {"answerTo": "q1"}}}
    memory = read_event({**event, "type": "conversation"}, "x.json")
    assert (memory.turns, memory.answers) == ((Turn("person", "Bees."),), "q1")


def test_a_card_is_an_exchange_and_its_content_only_repeats_it() -> None:
    event = {"type": "card_response", "content": "Card Response (x): Green."}
    both = {"userMessage": "Which colour?", "assistantResponse": "Green. And a door."}
    memory = read_event({**event, "metadata": both}, "x.json")
    assert memory.turns == (Turn("other", "Which colour?"), Turn("person", "Green. And a door."))
    silent = read_event({**event, "metadata": {"userMessage": "Which colour?"}}, "x.json")
    assert [turn.speaker for turn in silent.turns] == ["other"]


def test_a_thought_alone_is_no_memory() -> None:
    with pytest.raises(ValueError, match="nothing in it but what a model thought"):
        read_event({"content": "", "response": "<think>x</think>"}, "x.json")
