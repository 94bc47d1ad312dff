from __future__ import annotations

from idiolect.config import Mode
from idiolect.curation import Message, Source
from idiolect.dataset import FormattedSample, TrainingText
from idiolect.evaluation.side_by_side import _first_reply, _held_out, _up_to_first_reply


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
    mode: Mode = "dual"
    return TrainingText(id=name, split=split, mode=mode, text=name, learned=((0, 1),))  # type: ignore[arg-type]


def test_held_out_talks_that_somebody_began_come_first() -> None:
    words = " ".join(["word"] * 20)
    samples = [
        sample("trained", words),
        sample("invented", words, "invented"),
        sample("short", "Yes."),
        sample("good", words),
    ]
    lines = [line(s.id, "train" if s.id == "trained" else "held_out") for s in samples]
    assert [s.id for s in _held_out(samples, lines)] == ["good", "short", "invented"]


def test_a_talk_is_asked_up_to_the_first_reply() -> None:
    talk = sample("a", "Rain.").messages
    assert [m.role for m in _up_to_first_reply(talk)] == ["system", "user"]
    assert _first_reply(talk) == "Rain."
