from __future__ import annotations

import random
from itertools import pairwise

import pytest

from idiolect.curation.duplicates import repeats, sketches
from idiolect.memories.sample_person import sample_events

LONG = "Wind southwest four and rain by noon, so the hives stayed shut and I stayed in with the cat and the radio."


def test_repeats_are_found_exactly_and_nearly() -> None:
    texts = [LONG, "Something else.", LONG.upper() + " ", LONG.replace("cat", "dog"), "Something else!", "Other."]
    assert list(repeats(texts)) == [(2, 0, True), (3, 0, False), (4, 1, False)]


def test_a_repeat_is_held_against_originals_only() -> None:
    """Otherwise a chain of small changes would swallow texts that have little in common."""
    words = [f"w{n}" for n in range(40)]
    chain = [" ".join(words[i : i + 20]) for i in range(0, 20, 4)]
    assert [first for _, first, _ in repeats(chain)] == [0, 2]


def test_different_texts_of_one_person_are_kept() -> None:
    texts = [f"Wind {n}, rain by noon. Counted {n * 7} bees at hive {n % 11}, so noted." for n in (3, 400, 51)]
    assert not list(repeats([*texts, "", "!"]))[:-1]


@pytest.fixture(scope="module")
def words() -> list[str]:
    """Words of the sample person, as often as she uses them."""
    return " ".join(str(e.get("response") or e.get("content") or "") for e in sample_events()).split()


def similarity(one: list[str], other: list[str]) -> float:
    a, b = (set(pairwise(["", *(w.casefold() for w in text), ""])) for text in (one, other))
    return len(a & b) / len(a | b)


def test_whatever_is_alike_to_six_tenths_is_found(words: list[str]) -> None:
    """Six hundred texts of 12 to 60 words, each once more with some words changed, all in one pile."""
    draw = random.Random(1)
    originals = [draw.sample(words, draw.randrange(12, 60)) for _ in range(600)]
    changed = [[draw.choice(words) if draw.random() < 0.12 else word for word in text] for text in originals]
    alike = [n for n, (one, other) in enumerate(zip(originals, changed, strict=True)) if similarity(one, other) >= 0.6]
    found = {repeat: first for repeat, first, _ in repeats([" ".join(text) for text in (*originals, *changed)])}
    assert len(alike) > 200
    assert {n: found.get(600 + n) for n in alike} == {n: n for n in alike}
    assert not [n for n in found if n < 600]


def test_what_is_hardly_alike_is_kept(words: list[str]) -> None:
    draw = random.Random(2)
    texts = [draw.sample(words, 30) for _ in range(400)]
    half = [text[:12] + draw.sample(words, 18) for text in texts]
    assert all(similarity(one, other) < 0.5 for one, other in zip(texts, half, strict=True))
    assert not list(repeats([" ".join(text) for text in (*texts, *half)]))


def test_a_sketch_depends_on_its_text_alone(words: list[str]) -> None:
    texts = [" ".join(words[n : n + 20]) for n in range(0, 2000, 20)] + ["", "one", "ett år", "我喜欢蜜蜂"]
    together = sketches(texts)
    assert together == [s for text in texts for s in sketches([text])]
    assert together[:10] == sketches(texts[:10])


def test_a_thousand_that_say_nearly_the_same_repeat_the_first(words: list[str]) -> None:
    draw = random.Random(3)
    text = draw.sample(words, 40)
    texts = [" ".join([*text[: n % 38], str(n), *text[n % 38 + 1 :]]) for n in range(1000)]
    assert [(n, first) for n, first, _ in repeats(texts)] == [(n, 0) for n in range(1, 1000)]


def test_scripts_without_spaces_have_words_too() -> None:
    one, other = (
        "今天早上我去了海边，风很大，看到了三只海豹和一艘渡轮",
        "今天早上我去了海边，风很大，看到了两只海豹和一艘渡轮",
    )
    assert list(repeats([one, other, "昨天下雨了，我在家里看书，没有出门"])) == [(1, 0, False)]
