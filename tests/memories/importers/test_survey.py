from __future__ import annotations

import json
from pathlib import Path

import pytest

from idiolect.home import Home
from idiolect.memories import Memory, read_memories
from idiolect.memories.importers import Asked, Export, Message, Person, Survey, Thread, Unreadable, bring_in

PEPYS = Path(__file__).parents[4] / "shared" / "data" / "pepys"


def survey(chats: dict[str, str]) -> Survey:
    """Look at chats, each given as the initials of who wrote in it."""
    people = {c: Person(c, c.upper()) for c in "abcd"}
    found = Survey()
    stream: list[Message | Unreadable] = [Unreadable("x.json", "broken")]
    for key, writers in chats.items():
        thread = Thread(key)
        stream += [Message(thread, f"{key}{n}", float(n), people[c], "hi") for n, c in enumerate(writers)]
    assert len(list(found.watch(stream))) == len(stream) - 1
    return found


def test_what_is_in_an_export_is_counted() -> None:
    found = survey({"1": "abab", "2": "caca", "3": "d"})
    assert (found.messages, found.threads, found.unread) == (9, 3, 1)
    assert [(who.name, count) for who, count in found.people()] == [("A", 4), ("B", 2), ("C", 2), ("D", 1)]
    assert (found.first, found.last) == (0.0, 3.0)


@pytest.mark.parametrize(
    ("chats", "likely"),
    [
        ({"1": "ab", "2": "ca", "3": "d"}, "a"),
        ({"1": "ab"}, None),
        ({"1": "ab", "2": "ba"}, None),
        ({"1": "ab", "2": "cd"}, None),
    ],
)
def test_who_wrote_everywhere_is_likely_the_person(chats: dict[str, str], likely: str | None) -> None:
    found = survey(chats).likely_me()
    assert (found.id if found else None) == likely


@pytest.mark.slow
@pytest.mark.skipif(not PEPYS.exists(), reason="the diary is not at hand")
def test_a_diary_of_the_seventeenth_century(home: Home) -> None:
    with Export(PEPYS) as export:
        done = bring_in("plain", export, home.profile("pepys"), Asked(), pause=1)
    assert (done.own, done.memories, done.survey.messages) == (4688, 4688, 4688)
    memories = [m for m in read_memories(home.profile("pepys")) if isinstance(m, Memory)]
    lines = [line for file in sorted(PEPYS.glob("*.jsonl")) for line in file.read_text(encoding="utf-8").splitlines()]
    entries = [json.loads(line) for line in lines]
    assert sorted(m.turns[0].text for m in memories) == sorted(e["text"].strip() for e in entries)
    assert {m.timestamp.year for m in memories if m.timestamp} == {1660, 1661, 1662}
