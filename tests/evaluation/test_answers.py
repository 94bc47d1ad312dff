from __future__ import annotations

from datetime import UTC, datetime

from idiolect.curation import Message, Source
from idiolect.dataset import FormattedSample, TrainingText
from idiolect.evaluation import Answers, pairs, score
from idiolect.evaluation.answers import asked, held_out_talks, learned_talks, really_said


def sample(name: str, reply: str, prompt_from: str = "memory") -> FormattedSample:
    source = Source(
        memory=name,
        type="chat",
        timestamp=None,
        conversation=None,
        mode_from="type",
        prompt_from=prompt_from,  # type: ignore[arg-type]
    )
    messages = (Message("system", "s"), Message("user", "q"), Message("assistant", reply), Message("user", "r"))
    return FormattedSample(id=name, mode="dual", messages=messages, source=source)


def line(name: str, split: str) -> TrainingText:
    return TrainingText(id=name, split=split, mode="dual", text=name, learned=((0, 1),))  # type: ignore[arg-type]


def test_held_out_talks_that_somebody_began_come_first() -> None:
    words = " ".join(["word"] * 20)
    samples = [
        sample("trained", words),
        sample("invented", words, "invented"),
        sample("short", "Yes."),
        sample("good", words),
    ]
    lines = [line(s.id, "train" if s.id == "trained" else "held_out") for s in samples]
    assert [s.id for s in held_out_talks(samples, lines, 5)] == ["good", "short", "invented"]
    assert [s.id for s in held_out_talks(samples, lines, 1)] == ["good"]
    assert [really_said(s) for s in learned_talks(samples, lines)] == [words]


def test_a_talk_is_asked_up_to_the_first_reply() -> None:
    talk = sample("a", "Rain.")
    assert [m.role for m in asked(talk)] == ["system", "user"]
    assert really_said(talk) == "Rain."
    assert really_said(sample("b", "<world>: Rain.")) == "Rain."


ANSWERS = [
    Answers(id=f"{n}", mode="dual", prompt=f"{n}?", real=f"real {n} and more", base="b", new=f"new {n}")
    for n in range(40)
]


def test_blind_pairs_are_of_one_length_in_no_order_and_on_either_side() -> None:
    shown = pairs([*ANSWERS, Answers(id="x", mode="dual", prompt="x", real="r", base="b", new=" ")], seed=1)
    assert len(shown) == 40
    assert all(pair.answers[pair.real].startswith("real") for pair in shown)
    assert {len(text.split()) for pair in shown for text in pair.answers} == {2}
    assert 10 < sum(pair.real for pair in shown) < 30
    assert [pair.prompt for pair in shown] != [a.prompt for a in ANSWERS]


def test_the_blind_score_is_the_share_that_was_told_right() -> None:
    shown = pairs(ANSWERS, seed=2)[:20]
    choices = [pair.real if n < 15 else 1 - pair.real for n, pair in enumerate(shown)]
    found = score(shown, choices, datetime(2026, 1, 1, tzinfo=UTC))
    assert (found.asked, found.right, found.share.value) == (20, 15, 0.75)
    assert found.share.low > 0.5
