from __future__ import annotations

import pytest

from idiolect.config import CurationRules
from idiolect.curation.length import cut, word_limit

RULES = CurationRules(length_policy="cut")


@pytest.mark.parametrize(
    ("text", "words", "expected"),
    [
        ("One two. Three four. Five six.", 4, "One two. Three four."),
        ("One two. Three four. Five six.", 5, "One two. Three four."),
        ("One two three four five six.", 3, "One two three four five six."),
        ("Short.", 40, "Short."),
        ("He said “no.” Then left! Really? Yes.", 5, "He said “no.” Then left!"),
        ("No end here\n\nnor there at all", 4, "No end here"),
        ("Version 1.5 is out. It is good.", 4, "Version 1.5 is out."),
        ("Look. ```x = 1. y = 2. z = 3.```", 2, "Look. ```x = 1. y = 2. z = 3.```"),
    ],
)
def test_a_reply_ends_with_a_sentence_and_never_with_an_ellipsis(text: str, words: int, expected: str) -> None:
    assert cut(text, words) == expected


def test_the_few_that_may_be_long_follow_from_the_seed() -> None:
    limits = [word_limit(RULES, f"{n}.json", seed=1) for n in range(4000)]
    assert set(limits) == {40, 300}
    assert 0.06 < limits.count(300) / len(limits) < 0.09
    assert limits == [word_limit(RULES, f"{n}.json", seed=1) for n in range(4000)]
    assert limits != [word_limit(RULES, f"{n}.json", seed=2) for n in range(4000)]
