from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idiolect.files import write_json
from idiolect.memories import Memory, Turn, Unreadable, read_event, read_memories

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
    )


@pytest.mark.parametrize(
    "timestamp", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "10000-01-01", "yesterday", 5, None]
)
def test_an_impossible_date_is_none(timestamp: Any) -> None:
    assert read_event({"content": "Rain.", "timestamp": timestamp}, "x.json").timestamp is None


def test_dates_before_1970_are_dates() -> None:
    moment = read_event({"content": "Rain.", "timestamp": "1660-01-01T08:25:00Z"}, "x.json").timestamp
    assert moment == datetime(1660, 1, 1, 8, 25, tzinfo=UTC)


def test_any_depth_is_read_and_bad_files_are_reported(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", {"content": "top"})
    write_json(tmp_path / "dreams/2026/05/01/b.json", {"content": "deep"})
    write_json(tmp_path / "list.json", [1])
    write_json(tmp_path / "silent.json", {"type": "journal"})
    (tmp_path / "broken.json").write_text('{"content": "half')
    (tmp_path / "empty.json").touch()
    (tmp_path / "latin.json").write_bytes(b'{"content": "\xe9"}')
    (tmp_path / "folder.json").mkdir()
    (tmp_path / "notes.txt").write_text("not a memory")
    (tmp_path / "loop").symlink_to(tmp_path)
    (tmp_path / "gone.json").symlink_to(tmp_path / "nowhere")
    found = {item.source: item for item in read_memories(tmp_path)}
    assert {name for name, item in found.items() if isinstance(item, Memory)} == {
        "a.json",
        "dreams/2026/05/01/b.json",
    }
    reasons = {name: item.reason for name, item in found.items() if isinstance(item, Unreadable)}
    assert set(reasons) == {"broken.json", "empty.json", "latin.json", "list.json", "silent.json", "gone.json"}
    assert reasons["empty.json"] == "the file is empty"
    assert "truncated" in reasons["broken.json"]
    assert reasons["gone.json"] == "No such file or directory"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_forbidden_file_is_reported(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", {"content": "secret"})
    (tmp_path / "a.json").chmod(0)
    assert list(read_memories(tmp_path)) == [Unreadable("a.json", "Permission denied")]


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
