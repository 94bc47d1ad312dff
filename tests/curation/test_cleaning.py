from __future__ import annotations

import pytest

from idiolect.config import CurationRules
from idiolect.curation.cleaning import clean, compiled

FILLERS = compiled(CurationRules().fillers)


@pytest.mark.parametrize(
    ("said", "cleaned"),
    [
        ("Sure! Here it is.", "Here it is."),
        ("As an AI language model, it rained.", "It rained."),
        ("Okay, so what.", "So what."),
        ("So, the pump leaks.", "The pump leaks."),
        ("Let me think about that. Rain.", "Rain."),
        ("I'm just an AI, but it rained.", "But it rained."),
        ("Certainly! Here's what I saw: rain.", "Rain."),
        ("Some days it rains. Surely so. Okayama.", "Some days it rains. Surely so. Okayama."),
        ("To be honest, it was kind of cold, you know.", "To be honest, it was kind of cold, you know."),
        ("one  two\t three   \nfour\n\n\n\nfive ", "one two three\nfour\n\nfive"),
        ("- a\n  - b\n    1. c", "- a\n  - b\n    1. c"),
        ("nul\x00 and \ud800 lone", "nul and lone"),
        ("a\r\nb\rc\x0bd\u2028e", "a\nb\nc\nd\ne"),
        ("cafe\x00\u0301", "caf\u00e9"),
        ("cafe\u0301", "caf\u00e9"),
    ],
)
def test_fillers_and_stray_white_space_go_and_the_rest_stays(said: str, cleaned: str) -> None:
    assert clean(said, FILLERS)[0] == cleaned


def test_code_blocks_are_left_alone() -> None:
    code = "```python\nif  okay,   x:\n\n\n\n    pass  \n```"
    assert clean(f"Sure!  Look:\n{code}\nSo  that.", FILLERS) == (f"Look:\n{code}\nSo that.", True)
    assert clean("```\nnever  closed", FILLERS) == ("```\nnever  closed", False)


def test_a_person_may_bring_fillers_of_their_own() -> None:
    assert clean("Well, so (like) what.", compiled([r"well,\s*", r"\((\w+)\)\s*"])) == ("So what.", True)


@pytest.mark.parametrize(
    ("pattern", "needed"),
    [
        (r"\bkind of\b\s*", "kind of"),
        (r"(?<!\bwhat )\bto be honest,?\s*", "to be honest"),
        (r"\bI (?:think|guess) maybe\b", " maybe"),
        (r"^(?:sure|of course)[!,.]\s+", ""),
        (r"one|another", ""),
        (r"wells?, (a(b)?c)*d{2,3}e", "well"),
        (r"x+yes", "yes"),
    ],
)
def test_a_filler_is_looked_for_by_what_it_cannot_do_without(pattern: str, needed: str) -> None:
    (filler,) = compiled([pattern])
    assert filler.needs == needed


@pytest.mark.parametrize(
    ("pattern", "begins"),
    [
        (r"^(?:okay|OK|of course)[,;]+\s*", ("okay", "ok", "of course")),
        (r"^so[,;:-]+\s*", ("so",)),
        (r"^I'm just (?:here to|an ai)\b", ("i'm just ",)),
        (r"^(?:wells?|oh)?,", ()),
        (r"^wells?,", ()),
        (r"so", ()),
        (r"^a|b", ()),
    ],
)
def test_a_filler_at_the_beginning_is_looked_for_there(pattern: str, begins: tuple[str, ...]) -> None:
    (filler,) = compiled([pattern])
    assert filler.begins == begins


def test_whether_there_was_a_filler_is_known() -> None:
    assert clean("It was, as an AI, cold.", FILLERS) == ("It was, cold.", True)
    assert clean("It was cold.", FILLERS) == ("It was cold.", False)
