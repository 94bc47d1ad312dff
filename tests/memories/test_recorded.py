from __future__ import annotations

import pytest

from idiolect.config import WhoseWords
from idiolect.memories import Reading, Turn

READING = Reading()


def said(*texts: str) -> tuple[Turn, ...]:
    """Turns that begin with what another says."""
    return tuple(Turn("person" if number % 2 else "other", text) for number, text in enumerate(texts))


ROUNDS = [
    ("User: a?\n\nAssistant: b.", said("a?", "b.")),
    ("User: a?\n\nAssistant: b.\n\nUser: c?\n\nAssistant: d.", said("a?", "b.", "c?", "d.")),
    # The writer of 2025 trims neither side.
    ("User: a?\n\n\n\nAssistant:   b.\n", said("a?", "b.")),
    ("User: a?\r\n\r\nAssistant: b.", said("a?", "b.")),
    ("User: one\n\ntwo\n\nAssistant: three\n\n- four\n\nfive", said("one\n\ntwo", "three\n\n- four\n\nfive")),
    # Words that only look like labels stay where they are.
    (
        'User: What is "Assistant: x"?\n\nAssistant: User: is a word.',
        said('What is "Assistant: x"?', "User: is a word."),
    ),
    ("User: a?\n\nAssistant: Users: many. Assistant-like: few.", said("a?", "Users: many. Assistant-like: few.")),
    ("User: a?\n\nUser: b?\n\nAssistant: c.", said("a?\nb?", "c.")),
    ("User: a?\n\nAssistant: b.\n\nUser: c?", said("a?", "b.", "c?")),
    ("User: a?\n\nAssistant:", said("a?")),
    ("User: a?\n\nAssistant: ", said("a?")),
    ("Assistant: b.\n\nUser: c?", said("", "b.", "c?")[1:]),
    ("User: a?", said("a?")),
    ("User: a?\nAssistant: b.", said("a?", "b.")),
    ("Interviewer: a?\n\nYou: b.\n\nInterviewer: c?\n\nYou: d.", said("a?", "b.", "c?", "d.")),
]


@pytest.mark.parametrize(("text", "turns"), ROUNDS)
def test_a_conversation_in_one_text_is_told_apart(text: str, turns: tuple[Turn, ...]) -> None:
    assert READING.rounds(text, chat=True) == turns


@pytest.mark.parametrize(
    "text",
    [
        "I told him: User: never.\n\nAssistant: also never.",
        "My log of the day.\n\nUser: a?\n\nAssistant: b.",
        "User: that is what the form calls me. So noted.",
        "Users: eleven.\n\nAssistant: none.",
        "User manual, page 3.\n\nAssistant engineer on leave.",
        "user: lower case is no label.\n\nassistant: nor here.",
        "User:me\n\nAssistant:it",
        "",
    ],
)
def test_a_text_that_merely_has_such_words_in_it_is_not_torn(text: str) -> None:
    assert READING.rounds(text, chat=False) == ()


@pytest.mark.parametrize(
    ("prompt", "said_to_them"),
    [
        ('Me: "How was it?"', "How was it?"),
        ('Me: "He said "no", twice."', 'He said "no", twice.'),
        ('Me: "Two\n\nlines"', "Two\n\nlines"),
        ('Me: ""', ""),
        ('I said: Me: "x"', 'I said: Me: "x"'),
        ("Me: no quotes", "Me: no quotes"),
        ('Me: "half', 'Me: "half'),
    ],
)
def test_the_wrapper_of_the_older_capture_goes(prompt: str, said_to_them: str) -> None:
    assert READING.unwrapped(prompt) == said_to_them


@pytest.mark.parametrize(
    ("reply", "left"),
    [
        ("<think>He is sad.</think>\n\nCome over.", "Come over."),
        ("<think>\n\n</think>\n\nCome over.", "Come over."),
        ("<THINK>x</THINK>Come over.", "Come over."),
        ("<thinking>x</thinking>Come over.", "Come over."),
        ("First. <think>x</think>Second. <think>y</think>Third.", "First. Second. Third."),
        ("He is sad.</think>Come over.", "Come over."),
        ("<think>a<think>b</think>c</think>Come over.", "Come over."),
        ("<think>It goes on and", ""),
        ("<think>only this</think>", ""),
        ("I think so. 1 < 2 and <b>.", "I think so. 1 < 2 and <b>."),
        ("The tag <think> opens a thought.", "The tag <think> opens a thought."),
    ],
)
def test_a_models_thought_is_no_word_of_the_persons(reply: str, left: str) -> None:
    assert READING.without_thoughts(reply) == left


def test_wrappers_labels_and_thoughts_are_what_a_person_says_they_are() -> None:
    rules = WhoseWords(
        wrappers=(r"<<(.*)>>",),
        labels=(("Kunde", "Ada"),),
        thought_tags=("denken",),
        headers=(r"Note:\s*",),
    )
    reading = Reading(rules)
    assert reading.unwrapped("<<Hei?>>") == "Hei?"
    assert reading.rounds("Kunde: Hei?\n\nAda: Hei.", chat=False) == said("Hei?", "Hei.")
    assert reading.rounds("User: a\n\nAssistant: b", chat=True) == ()
    assert reading.without_thoughts("<denken>x</denken>Ja. <think>") == "Ja. <think>"
    assert reading.without_header("Note: Rain.") == "Rain."
    assert Reading(WhoseWords(thought_tags=(), headers=())).without_thoughts("<think>x</think>") == "<think>x</think>"


def test_a_long_text_of_line_breaks_is_read_in_no_time() -> None:
    text = "User: " + "\n" * 200_000 + "x " * 50_000 + "Assistant:"
    assert READING.rounds(text, chat=True)[0].speaker == "other"
    assert READING.without_thoughts("<think>" * 20_000) == ""
