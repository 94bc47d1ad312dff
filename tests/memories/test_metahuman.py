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
