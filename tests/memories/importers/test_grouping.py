"""Conversations told apart and put in order, whether they fit into memory or are laid aside."""

from __future__ import annotations

from itertools import groupby

from hypothesis import given, settings
from hypothesis import strategies as st

from idiolect.memories.importers import Message, Person, Thread, Unreadable
from idiolect.memories.importers.grouping import by_thread

ANNA = Person("2", "Anna")
places = st.lists(st.tuples(st.sampled_from("abc"), st.none() | st.integers(0, 5).map(float)), max_size=30)


@settings(max_examples=60, deadline=None)
@given(places, st.integers(1, 9))
def test_each_conversation_comes_whole_and_in_order(said: list[tuple[str, float | None]], held: int) -> None:
    messages = [Message(Thread(key), str(n), when, ANNA, f"{key} {n}") for n, (key, when) in enumerate(said)]
    found = [m for m in by_thread(messages, held) if isinstance(m, Message)]
    assert found == [m for m in by_thread(messages) if isinstance(m, Message)]
    assert sorted(int(m.id) for m in found) == list(range(len(said)))
    for _, together in groupby(found, key=lambda m: id(m.thread)):
        talk = list(together)
        assert len({id(m.who) for m in talk}) == 1
        assert {m.thread.key for m in talk} == {talk[0].thread.key}
        assert [m for m in found if m.thread.key == talk[0].thread.key] == talk
        dated = [(m.when, int(m.id)) for m in talk if m.when is not None]
        assert dated == sorted(dated)


def test_who_has_no_date_stays_behind_whoever_came_before() -> None:
    said = [("1", 5.0), ("2", None), ("3", 1.0), ("4", None), ("5", 3.0)]
    messages = [Message(Thread("a"), name, when, ANNA, "x") for name, when in said]
    broken = Unreadable("x.jsonl, line 2", "no JSON")
    for held in (1, 2, 100):
        found = list(by_thread([*messages, broken], held))
        assert [m.id for m in found if isinstance(m, Message)] == ["3", "4", "5", "1", "2"]
        assert found[0] is broken
