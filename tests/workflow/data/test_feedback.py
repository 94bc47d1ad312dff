"""What is said of answers is learned from: approved ones and the person's own words, never a rejected one."""

from __future__ import annotations

import msgspec
import pytest

from idiolect.errors import UserFault
from idiolect.home import Home
from idiolect.memories import Answered
from idiolect.workflow.data import feedback
from tests.conftest import Event, MakePerson
from tests.workflow.data.test_editing import made

ANSWERED = Answered(prompt="How are the bees?", answer="Asleep until March.", mode="dual", model="2026-01-01-x")


@pytest.fixture
def ada(make_person: MakePerson, talks: list[Event], tiny_base: object) -> str:
    return make_person("ada", talks, base_model=str(tiny_base))


def learned(home: Home, person: str) -> dict[str, str]:
    """Return the replies in the next data set that come from feedback, by their modes."""
    samples, fates = made(home, person)
    assert len(samples) == len(fates) - sum(f.fate == "dropped" for f in fates.values())
    return {s.messages[1].content: s.mode for name, s in samples.items() if name.startswith("feedback/")}


def test_an_approved_answer_is_learned_in_its_mode_once(home: Home, ada: str) -> None:
    first = feedback.approve(home, ada, ANSWERED)
    assert feedback.approve(home, ada, ANSWERED) == first
    assert learned(home, ada) == {"Asleep until March.": "dual"}


def test_a_rejected_answer_is_not_learned_even_if_it_was_approved_before(home: Home, ada: str) -> None:
    approved = feedback.approve(home, ada, ANSWERED)
    feedback.reject(home, ada, ANSWERED)
    assert learned(home, ada) == {}
    # Another program may bring the approved one back: the rejection points to it.
    feedback.approve(home, ada, ANSWERED)
    content = approved.read_bytes()
    feedback.reject(home, ada, ANSWERED)
    approved.write_bytes(content)
    assert learned(home, ada) == {}
    assert made(home, ada)[1][f"feedback/{approved.name}"].rule == "disapproved of"


def test_a_later_opinion_takes_the_place_of_an_earlier_one(home: Home, ada: str) -> None:
    feedback.reject(home, ada, ANSWERED)
    feedback.approve(home, ada, ANSWERED)
    assert learned(home, ada) == {"Asleep until March.": "dual"}


def test_their_own_words_are_learned_instead_of_the_answer(home: Home, ada: str) -> None:
    feedback.approve(home, ada, ANSWERED)
    feedback.reword(home, ada, ANSWERED, " Ask them yourself. ")
    assert learned(home, ada) == {"Ask them yourself.": "dual"}
    feedback.approve(home, ada, ANSWERED)
    assert learned(home, ada) == {"Asleep until March.": "dual"}


def test_the_events_are_those_of_metahuman_os(home: Home, ada: str) -> None:
    """Its own builders leave out what bears a signal of -1 (packages/core/src/api/handlers/feedback.ts)."""
    event = msgspec.json.decode(feedback.reject(home, ada, ANSWERED).read_bytes())
    assert event["type"] == "observation"
    assert {"feedback", "training-data"} <= set(event["tags"])
    assert event["metadata"]["reinforcementSignal"] == -1
    event = msgspec.json.decode(feedback.reword(home, ada, ANSWERED, "Ask them.").read_bytes())
    assert (event["content"], event["response"]) == ("How are the bees?", "Ask them.")
    assert event["metadata"]["cognitiveMode"] == "dual"
    assert event["timestamp"].endswith("Z")


def test_what_is_no_answer_cannot_be_judged(home: Home, ada: str) -> None:
    nothing = msgspec.structs.replace(ANSWERED, answer=" ")
    for judge in (feedback.approve, feedback.reject):
        with pytest.raises(UserFault, match="no answer yet"):
            judge(home, ada, nothing)
    with pytest.raises(UserFault, match="Nothing is said"):
        feedback.reword(home, ada, ANSWERED, " ")
    assert not home.profile(ada).feedback.exists()
