from __future__ import annotations

import random

import pytest

from idiolect.evaluation import authorship, delta
from idiolect.evaluation.style import style
from idiolect.evaluation.voice import voice
from tests.evaluation.conftest import MACHINE, OWN


def test_burrows_delta_is_what_its_formula_says() -> None:
    """Two words, frequencies 2/3 and 1/3, never varied: the spread is that of chance over 150 words."""
    own = ["the the sea"] * 100
    person = delta.profile(own, ["the sea sea"] * 100)
    assert person
    assert person.vocabulary == ("the", "sea")
    assert person.delta(own) == pytest.approx(0.0)
    spread = (0.5 / 150) ** 0.5
    assert person.delta(["the sea sea"]) == pytest.approx((1 / 3) / spread)


def test_too_few_words_have_no_profile() -> None:
    assert delta.profile(["so to bed"], MACHINE) is None


def test_a_judge_tells_two_voices_apart_and_says_so() -> None:
    ours, theirs = authorship.cross_validated(OWN, MACHINE)
    scale = authorship.calibrated(ours, theirs)
    assert authorship.balanced_error(scale.chances(ours), scale.chances(theirs)) < 0.05
    judge = authorship.train(OWN, MACHINE)
    asked = ["So home by water, and to bed.", "Here are some helpful suggestions!"]
    likely, unlikely = scale.chances(judge.scores(asked))
    assert likely > 0.6
    assert unlikely < 0.4


def test_a_judge_of_one_voice_against_itself_only_guesses() -> None:
    mixed = random.Random(1).sample(OWN, len(OWN))
    ours, theirs = authorship.cross_validated(mixed[:40], mixed[40:])
    scale = authorship.calibrated(ours, theirs)
    assert authorship.balanced_error(scale.chances(ours), scale.chances(theirs)) > 0.3


def test_a_voice_half_way_is_said_to_be_so() -> None:
    half = [*MACHINE[:6], *OWN[40:46]]
    found = voice(OWN, ["emulation"] * 60, {"base": MACHINE, "new": half, "real": OWN[:12]}, ["emulation"] * 12)
    assert found.authorship
    assert found.authorship.moved == pytest.approx(0.5, abs=0.1)
    assert found.delta
    assert 0.2 < found.delta.moved < 0.8
    assert found.modes is None


def test_answers_are_judged_by_the_mode_that_was_asked_for() -> None:
    modes = ["emulation"] * 30 + ["dual"] * 30
    own = [*OWN[:30], *(f"I think, {n} times over, that I am afraid of nothing but myself." for n in range(30))]
    right = {"base": own[:6] * 2, "new": [*own[:6], *own[30:36]], "real": [*own[:6], *own[30:36]]}
    found = voice(own, modes, right, ["emulation"] * 6 + ["dual"] * 6)
    assert found.modes
    assert (found.modes.in_mode["new"].value, found.modes.in_mode["base"].value) == (1.0, 0.5)
    assert found.modes.chance == 0.5


def test_style_counts_what_there_is() -> None:
    found = style(["Well! So it goes; so it goes 🐝🐝", "No."])
    assert (found.texts, found.words) == (2, 8)
    assert found.words_a_text == 4
    assert found.emoji_a_hundred == pytest.approx(25)
    assert found.marks_a_hundred["!"] == pytest.approx(12.5)
    assert found.different_words == pytest.approx(5 / 8)
