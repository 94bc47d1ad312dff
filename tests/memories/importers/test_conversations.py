"""How messages become talks."""

from __future__ import annotations

from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from idiolect.memories.importers import Message, Person, Thread
from idiolect.memories.importers.conversations import (
    ANSWERED_BEFORE,
    BEFORE,
    LINK,
    NOT_ANSWERED,
    PASTED,
    QUOTATION,
    TOO_FAR,
    UNWANTED,
    Builder,
    Left,
    Others,
)
from idiolect.memories.importers.lengths import bytes_of
from idiolect.memories.importers.message import Kind
from idiolect.memories.importers.talks import GO_ON, TALK_BYTES, Talk

ADA = Person("ada", "Ada", me=True)
ANNA, BOB = Person("anna", "Anna", me=False), Person("bob", "Bob", me=False)
CHAT = Thread("t", "Anna")
HOUR = 3600.0


def said(number: int, who: Person, text: str, when: float | None = None, **more: str) -> Message:
    kind: Kind = "forwarded" if more.get("kind") == "forwarded" else "said"
    at = number * 60.0 if when is None else when
    return Message(CHAT, str(number), at, who, text, kind, more.get("reply_to", ""))


def build(
    messages: Iterable[Message], known: Iterable[str] = (), others: Others = "keep"
) -> tuple[list[list[tuple[str, str]]], dict[str, str]]:
    """Return the talks, as (me or other, text), and the rule of each message that is in none."""
    before = set(known)
    claimed = {("t", name) for name in before}

    def claim(thread: str, name: str) -> bool:
        new = (thread, name) not in claimed
        claimed.add((thread, name))
        return new

    builder = Builder(lambda who: bool(who.me), claim, lambda _, name: name in before, 6 * HOUR, others)
    items = list(builder.build(messages))
    talks = [[("me" if t.mine else "other", t.text) for t in i.turns] for i in items if isinstance(i, Talk)]
    return talks, {i.id: i.rule for i in items if isinstance(i, Left)}


def test_consecutive_messages_are_one_turn_and_exchanges_follow_each_other() -> None:
    talks, left = build(
        [
            said(1, ANNA, "Hi"),
            said(2, ANNA, "there?"),
            said(3, ADA, "Yes"),
            said(4, ADA, "here"),
            said(5, ANNA, "Good"),
            said(6, ADA, "Is it?"),
            said(7, ANNA, "…"),
        ]
    )
    assert talks == [[("other", "Hi\nthere?"), ("me", "Yes\nhere"), ("other", "Good"), ("me", "Is it?")]]
    assert left == {"7": NOT_ANSWERED}


def test_a_pause_ends_a_conversation() -> None:
    talks, left = build(
        [said(1, ANNA, "Night", 0.0), said(2, ADA, "Morning", 7 * HOUR), said(3, ADA, "Noon", 12 * HOUR)]
    )
    assert talks == [[("me", "Morning\nNoon")]]
    assert left == {"1": NOT_ANSWERED}


def test_a_reply_is_kept_with_what_it_answers_however_long_ago() -> None:
    talks, left = build(
        [said(1, ANNA, "Cake?", 0.0), said(2, ANNA, "Boat?", 60.0), said(3, ADA, "With jam", 30 * HOUR, reply_to="1")]
    )
    assert talks == [[("other", "Cake?"), ("me", "With jam")]]
    assert left == {"1": NOT_ANSWERED, "2": NOT_ANSWERED}


def test_what_is_answered_stands_last_and_each_answer_has_its_own() -> None:
    talks, left = build(
        [
            said(1, ANNA, "Cake?"),
            said(2, ANNA, "Boat?"),
            said(3, ADA, "With jam", reply_to="1"),
            said(4, ADA, "With sails", reply_to="2"),
        ]
    )
    assert talks == [[("other", "Boat?\nCake?"), ("me", "With jam"), ("other", "Boat?"), ("me", "With sails")]]
    assert not left


def test_groups_have_speakers() -> None:
    talks, _ = build([said(1, ANNA, "Who?"), said(2, BOB, "Not I"), said(3, ADA, "I")])
    assert talks == [[("other", "Anna: Who?\nBob: Not I"), ("me", "I")]]


def test_what_is_not_the_persons_own_is_not_taken_for_it() -> None:
    talks, left = build(
        [
            said(1, ADA, "A joke", kind="forwarded"),
            said(2, ADA, "https://example.org/a?b=c"),
            said(3, ADA, "> Nothing is lost"),
            said(4, ADA, "word " * 700),
            said(5, ADA, "> Nothing is lost\nMuch is, see https://example.org"),
        ]
    )
    assert talks == [[("other", "Nothing is lost"), ("me", "Much is, see https://example.org")]]
    assert left == {"1": "forwarded: somebody else's words", "2": LINK, "3": QUOTATION, "4": PASTED}


def test_of_what_was_said_long_before_the_end_stays() -> None:
    messages = [said(n, ANNA, f"{n} " + "x" * 400) for n in range(1, 10)]
    talks, left = build([*messages, said(10, ADA, "Enough")])
    ((heard, _),) = talks
    assert heard[1].startswith("7 ")
    assert left == {str(n): TOO_FAR for n in range(1, 7)}
    talks, _ = build([said(1, ANNA, "begin " + "middle " * 500 + "end"), said(2, ADA, "Long")])
    assert talks[0][0][1].startswith("begin")
    assert " […] " in talks[0][0][1]
    assert talks[0][0][1].endswith("end")


def test_long_letters_go_on_and_talks_fit() -> None:
    letter = Thread("l", "", "conversation")
    text = "\n\n".join(f"Paragraph {n}. " + "It rained. " * 40 for n in range(12))
    messages = [Message(letter, "1", 0.0, ANNA, "Well?"), Message(letter, "2", 1.0, ADA, text)]
    talks, _ = build(messages)
    assert [t[0][1] for t in talks] == ["Well?", *[GO_ON] * (len(talks) - 1)]
    assert " ".join(t[1][1] for t in talks).split() == text.split()
    assert all(sum(bytes_of(text) for _, text in t) <= TALK_BYTES for t in talks)


def test_of_an_answer_that_goes_on_the_new_part_is_learned() -> None:
    messages = [
        said(1, ANNA, "Coming?"),
        said(2, ADA, "Yes"),
        said(3, ADA, "at eight"),
        said(4, ANNA, "Fine"),
        said(5, ADA, "!"),
    ]
    talks, left = build(messages, known=["1", "2"])
    assert talks == [[("other", "Coming?"), ("me", "at eight"), ("other", "Fine"), ("me", "!")]]
    assert left == {"2": BEFORE}
    talks, left = build(messages, known=["2", "3", "5"])
    assert not talks
    assert left == {"1": ANSWERED_BEFORE, "2": BEFORE, "3": BEFORE, "4": ANSWERED_BEFORE, "5": BEFORE}


def test_without_others_each_answer_stands_alone() -> None:
    messages = [
        said(1, ANNA, "Coming?"),
        said(2, ADA, "Yes"),
        said(3, ANNA, "When?"),
        said(4, ADA, "> When?\nAt eight"),
    ]
    talks, left = build(messages, others="drop")
    assert talks == [[("me", "Yes")], [("me", "At eight")]]
    assert left == {"1": UNWANTED, "3": UNWANTED}


messages = st.lists(
    st.tuples(
        st.sampled_from([ADA, ANNA, BOB]),
        st.sampled_from(["a", "b c", "> q", "> q\nd", "http://x.y", "é" * 2000, "word " * 900, "x" * 1400]),
        st.sampled_from([1.0, 60.0, 30 * HOUR, -60.0]),
        st.integers(0, 12),
        st.sampled_from(["said", "said", "said", "forwarded"]),
    ),
    max_size=14,
)


@given(messages, st.sets(st.integers(0, 13).map(str)), st.sampled_from(["keep", "drop"]))
def test_every_message_is_accounted_for_once(
    drawn: list[tuple[Person, str, float, int, str]], known: set[str], others: Others
) -> None:
    when = 0.0
    stream = []
    for number, (who, text, gap, reply, kind) in enumerate(drawn):
        when += gap
        stream.append(said(number, who, text, when, kind=kind, reply_to=str(reply)))
    claimed = set(known)

    def claim(_: str, name: str) -> bool:
        new = name not in claimed
        claimed.add(name)
        return new

    builder = Builder(lambda w: bool(w.me), claim, lambda _, name: name in known, 6 * HOUR, others)
    items = list(builder.build(stream))
    talks = [i for i in items if isinstance(i, Talk)]
    left = [i.id for i in items if isinstance(i, Left)]
    own = [name for t in talks for name in t.own]
    context = sum(len(t.context) - t.again for t in talks)
    assert len(own) == len(set(own))
    assert len(left) + len(own) + context == len(stream)
    assert not known & set(own)
    mine = {m.id for m in stream if m.who is ADA}
    assert set(own) <= mine
    assert not mine & {name for t in talks for name in t.context}
    for talk in talks:
        assert talk.turns[-1].mine
        assert all(a.mine != b.mine for a, b in zip(talk.turns, talk.turns[1:], strict=False))
        assert sum(bytes_of(t.text) for t in talk.turns) <= TALK_BYTES + 200
