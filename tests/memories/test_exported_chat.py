from __future__ import annotations

import pytest

from idiolect.memories import Reading, Turn, read_event
from idiolect.memories.exported_chat import chat_turns

HEAD = "Chat: Anna (whatsapp)\nParticipants: Greg Aster, Anna\nDate range: 2025-01-01 to 2025-01-01\n\n"
NAMES = frozenset({"greg aster", "gregory"})


def chat(*lines: str, head: str = HEAD) -> str:
    return "\n".join([f"{head}--- Conversation ---", *lines])


def turns(content: str, names: frozenset[str] = NAMES) -> list[tuple[str, str]]:
    return [(turn.speaker, turn.text) for turn in chat_turns(content, names)]


def test_the_lines_of_the_persons_own_name_are_theirs_and_the_others_are_context() -> None:
    lines = (
        "[Jan 1 09:00 AM] ← Anna: Are you coming?",
        "[Jan 1 09:10 AM] ← Greg Aster: Yes: with the boat.",
        "And a cake.",
        "  📎 [image: cake.jpg]",
        "[Jan 1 09:11 AM] ← Greg Aster: Two.",
        "[Jan 1 09:12 AM] ← Anna: Good.",
    )
    assert turns(chat(*lines)) == [
        ("other", "Are you coming?"),
        ("person", "Yes: with the boat.\nAnd a cake.\nTwo."),
        ("other", "Good."),
    ]


def test_in_a_group_others_go_by_their_names() -> None:
    lines = ("[09:00 AM] Anna: Sunday?", "[09:01 AM] Bo: Or Monday?", "[09:02 AM] Gregory: Never.")
    assert turns(chat(*lines)) == [("other", "Anna: Sunday?\nBo: Or Monday?"), ("person", "Never.")]


@pytest.mark.parametrize(
    ("names", "sender", "theirs"),
    [
        ({"greg"}, "Greg", True),
        ({"greg"}, "Greg Aster", True),
        ({"greg aster"}, "Greg", True),
        ({"u-1"}, "Greg", False),
        ({"u-1"}, "You", True),
        ({"anna berg"}, "Greg", False),
    ],
)
def test_a_first_name_will_do_where_only_one_goes_by_it(names: set[str], sender: str, theirs: bool) -> None:
    said = turns(chat("[09:00 AM] Bo: Hei?", f"[09:10 AM] {sender}: Hei."), frozenset(names))
    assert (said[-1] == ("person", "Hei.")) is theirs


def test_of_two_with_the_same_first_name_neither_is_taken_for_the_person() -> None:
    lines = ("[09:00 AM] Greg Berg: Hei?", "[09:10 AM] Greg Aas: Hei.")
    assert {who for who, _ in turns(chat(*lines), frozenset({"greg"}))} == {"other"}


def test_an_arrow_of_the_writers_is_believed() -> None:
    assert turns(chat("[09:00 AM] ← Anna: Hei?", "[09:10 AM] → Skipper: Hei."), frozenset({"x"})) == [
        ("other", "Hei?"),
        ("person", "Hei."),
    ]


def test_an_event_of_it_is_read_so_and_only_such_a_one() -> None:
    content = chat("[09:00 AM] Anna: Hei?", "[09:10 AM] Greg: Hei.")
    event = {"content": content, "metadata": {"provenance": "chat-export"}}
    reading = Reading(names=frozenset({"greg"}))
    assert read_event(event, "a.json", reading).turns == (Turn("other", "Hei?"), Turn("person", "Hei."))
    pasted = read_event({"content": content}, "a.json", reading)
    assert [turn.speaker for turn in pasted.turns] == ["person"]
