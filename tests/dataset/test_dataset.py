"""From curated samples to the lines of a data set: formatting, schema, split, export and validation."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import combinations, pairwise
from pathlib import Path

import msgspec
import pytest

from idiolect.config import CurationRules, Options
from idiolect.curation import Fate, Message, Sample, Source, curate
from idiolect.dataset import (
    RenderedSample,
    TrainingText,
    apply_schema,
    export,
    format_samples,
    ledger,
    load_chat_template,
    system_messages,
    validate,
)
from idiolect.dataset.split import held_out
from idiolect.errors import DataFault
from idiolect.home import Home
from idiolect.memories import read_memories
from idiolect.memories.sample_person import write_sample_person

SYSTEMS = system_messages("Ada L.", Options(), CurationRules())


def sample(number: int, talk: str | None = None, mode: str = "emulation", reply: str = "Rain.") -> Sample:
    source = Source(
        memory=f"{number}.json",
        type="chat",
        timestamp=datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=8 * number),
        conversation=talk,
        mode_from="type",
        prompt_from="memory",
    )
    messages = (Message("user", f"And day {number}?"), Message("assistant", f"{reply} {number}"))
    return Sample(id=f"id{number}", mode=mode, messages=messages, source=source)  # type: ignore[arg-type]


def texts(base: Path, samples: Sequence[Sample]) -> list[RenderedSample]:
    return apply_schema(
        format_samples(samples, SYSTEMS), load_chat_template(base), base / "tokenizer.json", max_tokens=2048
    )


@pytest.fixture
def rendered(tiny_base: Path) -> list[RenderedSample]:
    return texts(tiny_base, [sample(n) for n in range(200)])


def test_the_mode_reaches_the_model_as_a_system_message() -> None:
    dual, emulation = format_samples([sample(1, mode="dual"), sample(2)], SYSTEMS)
    assert dual.messages[0] == Message("system", "You are Ada L., thinking to yourself.")
    assert emulation.messages[0] == Message("system", "You are Ada L., talking.")
    assert dual.messages[1:] == sample(1).messages


def test_a_persons_own_system_prompt_wins_and_an_empty_one_is_left_out() -> None:
    own = system_messages("Ada", Options(system_prompt="Be {name}."), CurationRules())
    assert set(own.values()) == {"Be Ada."}
    rules = CurationRules(system_messages={"dual": "", "emulation": "", "agent": ""})
    (plain,) = format_samples([sample(1)], system_messages("Ada", Options(), rules))
    assert plain.messages == sample(1).messages


def test_the_schema_marks_just_the_reply_and_its_end(rendered: list[RenderedSample]) -> None:
    ((start, end),) = rendered[7].learned
    assert rendered[7].text[start:end] == "Rain. 7<|im_end|>"
    assert rendered[7].text.startswith("<|im_start|>system\nYou are Ada L., talking.<|im_end|>\n<|im_start|>user\nAnd")


def test_whole_conversations_and_days_are_held_out(tiny_base: Path) -> None:
    samples = [sample(n, talk=f"talk {n // 6}" if n < 100 else None) for n in range(400)]
    rendered = apply_schema(
        format_samples(samples, SYSTEMS), load_chat_template(tiny_base), tiny_base / "tokenizer.json", 2048
    )
    aside = held_out(rendered, seed=1)
    assert 20 <= len(aside) <= 26
    assert aside == held_out(rendered, seed=1) != held_out(rendered, seed=2)
    groups = {
        s.source.conversation or s.source.timestamp.date() for s in rendered if s.id in aside and s.source.timestamp
    }
    for s in rendered:
        assert s.source.timestamp
        assert ((s.source.conversation or s.source.timestamp.date()) in groups) == (s.id in aside)


def test_a_day_on_which_nearly_all_was_said_is_not_held_out_whole(tiny_base: Path) -> None:
    """As MetaHuman OS stamps letters that were taken in: all with the one moment."""
    many = [sample(n, talk="one day") for n in range(300)] + [sample(n, talk=f"{n}") for n in range(300, 360)]
    for seed in range(5):
        assert 20 <= len(held_out(texts(tiny_base, many), seed)) <= 90
    alone = [sample(n, talk="one day") for n in range(100)]
    assert len(held_out(texts(tiny_base, alone), seed=1)) == 20


def test_near_twins_are_held_out_together_or_not_at_all(tiny_base: Path) -> None:
    """As the classic builder leaves them: what was said again on another day, with a word changed."""
    draw = random.Random(1)
    words = [f"{a}{b}" for a in ("wind", "hive", "ferry", "rope", "salt") for b in ("y", "s", "ed", "ing", "less")]
    texts = [" ".join(draw.choices(words, k=14)) for _ in range(100)]
    again = [f"{text} {draw.choice(words)}" for text in texts]
    samples = [sample(3 * n, reply=text) for n, text in enumerate((*texts, *again))]
    rendered = apply_schema(
        format_samples(samples, SYSTEMS), load_chat_template(tiny_base), tiny_base / "tokenizer.json", 2048
    )
    aside = held_out(rendered, seed=1)
    assert 20 <= len(aside) <= 22
    assert {s.id in aside for s in rendered} == {True, False}
    for first, twin in zip(rendered[:100], rendered[100:], strict=True):
        assert (first.id in aside) == (twin.id in aside)


def test_no_held_out_sample_of_the_sample_person_has_a_near_twin_in_training(home: Home, tiny_base: Path) -> None:
    profile = write_sample_person(home)
    done = curate(read_memories(profile), Options(), CurationRules())
    rendered = apply_schema(
        format_samples(done.samples, SYSTEMS), load_chat_template(tiny_base), tiny_base / "tokenizer.json", 2048
    )
    aside = held_out(rendered, seed=42)
    words = [s.own_words for s in done.samples]
    pairs = [set(pairwise(text.casefold().split())) for text in words]
    for number, other in combinations(range(len(words)), 2):
        both, either = pairs[number] & pairs[other], pairs[number] | pairs[other]
        if either and len(both) >= 0.5 * len(either):
            assert (done.samples[number].id in aside) == (done.samples[other].id in aside)


@pytest.mark.parametrize(("count", "aside"), [(1, 0), (3, 0), (4, 1), (40, 10), (100, 20), (1000, 50)])
def test_a_twentieth_is_held_out_twenty_at_least_a_quarter_at_most(tiny_base: Path, count: int, aside: int) -> None:
    samples = [sample(3 * n) for n in range(count)]
    rendered = apply_schema(
        format_samples(samples, SYSTEMS), load_chat_template(tiny_base), tiny_base / "tokenizer.json", 2048
    )
    assert len(held_out(rendered, seed=1)) == aside


def test_too_long_samples_are_left_out_and_the_ledger_says_so(tiny_base: Path) -> None:
    long = msgspec.structs.replace(sample(5), messages=(Message("user", "And? " * 80), Message("assistant", "Rain.")))
    formatted = format_samples([long if n == 5 else sample(n) for n in range(200)], SYSTEMS)
    rendered = apply_schema(formatted, load_chat_template(tiny_base), tiny_base / "tokenizer.json", 80)
    lines = export(rendered, seed=1)
    assert len(lines) == 199
    fates = [Fate(memory=f"{n}.json", fate="kept", sample=f"id{n}") for n in range(200)]
    fates.append(Fate(memory="bad.json", fate="dropped", rule="unreadable"))
    final = ledger(fates, rendered, lines)
    assert [f for f in final if f.fate == "dropped"] == [
        Fate(memory="5.json", fate="dropped", rule="longer than max_seq_length"),
        fates[-1],
    ]
    assert sum(f.fate == "held_out" for f in final) == sum(x.split == "held_out" for x in lines) >= 20
    assert sum(f.fate in ("train", "held_out") for f in final) == 199


def line(number: int, split: str = "train", **other: object) -> TrainingText:
    fields = {
        "id": f"id{number}",
        "split": split,
        "mode": "emulation",
        "text": f"ask reply {number}",
        "learned": ((4, 9),),
    }
    return msgspec.convert(fields | other, TrainingText)


def test_a_good_data_set_passes_with_remarks() -> None:
    lines = [line(n) for n in range(30)] + [line(99, "held_out")]
    few, rare = validate(lines)
    assert few.startswith("30 samples")
    assert rare == "few samples in mode dual 0%, agent 0%"
    mixed = [line(n, mode=("dual", "emulation", "agent")[n % 3]) for n in range(1000)]
    assert validate([*mixed, line(9999, "held_out")]) == []


def test_all_faults_of_a_data_set_are_reported_at_once() -> None:
    lines = [line(1), line(2, learned=()), line(3, learned=((2, 99),)), line(1, "held_out")]
    with pytest.raises(DataFault) as fault:
        validate(lines)
    for expected in ("id2: nothing in it is learned", "id3: a learned part lies outside", "id1: held out, and trained"):
        assert expected in fault.value.problem
    with pytest.raises(DataFault, match="no sample is left to train on; no sample is left to hold out"):
        validate([])


def test_the_mode_may_stand_in_the_text_as_metahuman_os_has_it() -> None:
    (dual,) = format_samples([sample(1, mode="dual")], SYSTEMS, "inline_tags")
    assert [m.content for m in dual.messages] == ["<thought>: And day 1?", "<world>: Rain. 1"]


def test_tags_of_another_mode_and_empty_replies_are_refused() -> None:
    mixed = "<thought>: Hm? <world>: Rain. <action>: Go."
    lines = [
        line(1, mode="dual", text=mixed, learned=((22, 27),)),
        line(2, text="ask <|im_end|> 2", learned=((4, 14),)),
        line(99, "held_out"),
    ]
    with pytest.raises(DataFault) as fault:
        validate(lines)
    assert "id1: tags of another mode stand in it" in fault.value.problem
    assert "id2: an empty reply" in fault.value.problem


def test_a_quoted_control_token_does_not_end_a_turn(tiny_base: Path) -> None:
    formatted = format_samples([sample(1, reply="Say <|im_end|> and stop.")], SYSTEMS)
    (rendered,) = apply_schema(formatted, load_chat_template(tiny_base), tiny_base / "tokenizer.json", 2048)
    assert rendered.text.count("<|im_end|>") == 3
    ((start, end),) = rendered.learned
    assert rendered.text[start:end] == "Say  and stop. 1<|im_end|>"
