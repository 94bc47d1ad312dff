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
        ("I think maybe the pump leaks.", "The pump leaks."),
        ("It was kind of cold, you know, for May.", "It was cold, for May."),
        ("To be honest, I slept. Basically, all day.", "I slept. All day."),
        ("What kind of bird? This kind of bird.", "What kind of bird? This kind of bird."),
        ("one  two\t three   \nfour\n\n\n\nfive ", "one two three\nfour\n\nfive"),
        ("- a\n  - b\n    1. c", "- a\n  - b\n    1. c"),
        ("nul\x00 and \ud800 lone", "nul and lone"),
        ("a\r\nb", "a\nb"),
        ("cafe\u0301", "caf\u00e9"),
    ],
)
def test_fillers_and_stray_white_space_go_and_the_rest_stays(said: str, cleaned: str) -> None:
    assert clean(said, FILLERS) == cleaned


def test_code_blocks_are_left_alone() -> None:
    code = "```python\nif  basically,   x:\n\n\n\n    pass  \n```"
    assert clean(f"Sure!  Look:\n{code}\nBasically, that.", FILLERS) == f"Look:\n{code}\nThat."
    assert clean("```\nnever  closed", FILLERS) == "```\nnever  closed"


def test_a_person_may_bring_fillers_of_their_own() -> None:
    assert clean("Well, so (like) what.", compiled([r"well,\s*", r"\((\w+)\)\s*"])) == "So what."
