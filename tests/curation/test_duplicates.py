from __future__ import annotations

from idiolect.curation.duplicates import repeated

LONG = "Wind southwest four and rain by noon, so the hives stayed shut and I stayed in with the cat and the radio."


def test_repeats_are_found_exactly_and_nearly() -> None:
    texts = [LONG, "Something else.", LONG.upper() + " ", LONG.replace("cat", "dog"), "Something else!", "Other."]
    assert list(repeated(texts)) == [(2, 0, True), (3, 0, False), (4, 1, False)]


def test_a_repeat_is_held_against_originals_only() -> None:
    """Otherwise a chain of small changes would swallow texts that have little in common."""
    words = [f"w{n}" for n in range(40)]
    chain = [" ".join(words[i : i + 20]) for i in range(0, 20, 4)]
    assert [first for _, first, _ in repeated(chain)] == [0, 2]


def test_different_texts_of_one_person_are_kept() -> None:
    texts = [f"Wind {n}, rain by noon. Counted {n * 7} bees at hive {n % 11}, so noted." for n in (3, 400, 51)]
    assert not list(repeated([*texts, "", "!"]))[:-1]
