from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from idiolect.curation import Message, Source
from idiolect.dataset import FormattedSample, TrainingText, load_chat_template
from idiolect.errors import UserFault
from idiolect.evaluation import Answers, pairs, score
from idiolect.evaluation.answers import (
    ANSWER_TOKENS,
    answers,
    asked,
    held_out_talks,
    learned_talks,
    really_said,
    sampling,
    that_fit,
)
from idiolect.serving import Sampling, load


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


def long(words: int, *later: Message) -> FormattedSample:
    said = (Message("user", "word " * words), Message("assistant", "Rain."), *later)
    return msgspec.structs.replace(sample(f"{words} words", "Rain."), messages=said)


def test_a_prompt_that_the_model_does_not_hold_is_not_asked(tiny_base: Path, tiny_gguf: Path) -> None:
    pasted = msgspec.structs.replace(long(20), messages=(Message("user", "-" * 5000), Message("assistant", "Rain.")))
    assert that_fit([pasted], load_chat_template(tiny_base), tiny_base / "tokenizer.json", 10_000) == []
    talks = [long(20), long(200, Message("user", "And?"), Message("assistant", "Wind.")), long(60)]
    fitting = that_fit(talks, load_chat_template(tiny_base), tiny_base / "tokenizer.json", 256)
    assert fitting == [talks[0], talks[2]]
    model = load(tiny_gguf, 256)
    assert len(answers(model, fitting)) == 2
    with pytest.raises(UserFault, match="exceeds the available context size"):  # and no '' for an answer
        answers(model, talks)


def test_talks_are_answered_as_in_chat_each_time_the_same(tiny_gguf: Path) -> None:
    model, talk = load(tiny_gguf, 256), sample("a", "Rain.")
    assert sampling(talk) == Sampling(max_tokens=ANSWER_TOKENS, seed=sampling(talk).seed)
    assert answers(model, [talk]) == answers(model, [talk])


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
