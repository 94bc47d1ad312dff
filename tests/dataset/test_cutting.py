from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from idiolect.curation import Message, Source
from idiolect.dataset import (
    FormattedSample,
    RenderedSample,
    apply_schema,
    cut_to_fit,
    load_chat_template,
    token_counts,
)
from idiolect.home import Home
from idiolect.workflow.data.dataset import make_dataset
from idiolect.workflow.planning.plan import Asked
from tests.conftest import Event, MakePerson

LONG = " ".join(["We walked to the river in the morning."] * 12)
END = "<|im_end|>"


def rendered(base: Path, *turns: str) -> RenderedSample:
    roles = ("user", "assistant") * len(turns)
    messages = tuple(Message(role, said) for role, said in zip(roles, turns, strict=False))  # type: ignore[arg-type]
    source = Source(
        memory="a.json", type="chat", timestamp=None, conversation=None, mode_from="t", prompt_from="memory"
    )
    sample = FormattedSample(id="a", mode="dual", messages=messages, source=source)
    return apply_schema([sample], load_chat_template(base))[0]


def cut(base: Path, sample: RenderedSample, most: int) -> RenderedSample | None:
    tokenizer = base / "tokenizer.json"
    made = cut_to_fit([sample], token_counts([sample], tokenizer), tokenizer, END, most)
    if made:
        assert token_counts(made, tokenizer)["a"] <= most
        assert all(made[0].text[start:end].endswith(END) for start, end in made[0].learned)
    return made[0] if made else None


def test_what_fits_stays_as_it_is(tiny_base: Path) -> None:
    sample = rendered(tiny_base, "Where?", "To the river.", "And then?", "Home.")
    assert cut(tiny_base, sample, 500) is sample


def test_whole_turns_are_left_out_first(tiny_base: Path) -> None:
    sample = rendered(tiny_base, "Where?", "To the river.", "And then?", "Home.", "Why?", LONG)
    made = cut(tiny_base, sample, 90)
    assert made
    assert [made.text[a:b] for a, b in made.learned] == ["To the river." + END, "Home." + END]
    assert sample.text.startswith(made.text)


@pytest.mark.parametrize("most", [40, 61, 100])
def test_a_reply_is_cut_between_words_and_still_ends(tiny_base: Path, most: int) -> None:
    made = cut(tiny_base, rendered(tiny_base, "Where?", LONG), most)
    assert made
    ((start, end),) = made.learned
    reply = made.text[start:end].removesuffix(END)
    assert LONG.startswith(reply + " ")
    assert made.text.endswith(reply + END)


def test_a_reply_without_spaces_is_cut_at_a_character(tiny_base: Path) -> None:
    made = cut(tiny_base, rendered(tiny_base, "?", "朝、川まで歩いた。" * 20), 120)
    assert made
    ((start, end),) = made.learned
    assert ("朝、川まで歩いた。" * 20).startswith(made.text[start:end].removesuffix(END))


def test_a_prompt_that_fills_everything_leaves_nothing(tiny_base: Path) -> None:
    assert cut(tiny_base, rendered(tiny_base, LONG, "To the river."), 60) is None


def test_the_ledger_counts_what_was_cut(
    home: Home, make_person: MakePerson, talks: list[Event], tiny_base: Path
) -> None:
    long_reply = {"id": "evt-1", "type": "chat", "content": "Where to?", "response": LONG}
    long_prompt = {"id": "evt-2", "type": "chat", "content": LONG, "response": "To the mountains, then."}
    person = make_person("ada", [*talks, long_reply, long_prompt], max_seq_length=130)
    told: dict[str, str] = {}
    made, _ = make_dataset(home, Asked(person, {}, {"base_model": str(tiny_base)}), told.__setitem__)
    assert told["export"].endswith("held out, 1 cut to 130 tokens")
    fates = [json.loads(line) for line in made.ledger.read_text().splitlines()]
    assert [f["memory"] for f in fates if f.get("detail") == "cut to max_seq_length"] == ["2026/040.json"]
    assert [(f["memory"], f["rule"]) for f in fates if f["fate"] == "dropped"] == [
        ("2026/041.json", "longer than max_seq_length")
    ]
    lines = [json.loads(line) for line in made.dataset.read_text().splitlines()]
    assert {f["sample"] for f in fates if f["fate"] != "dropped"} == {line["id"] for line in lines}


def test_no_sample_is_longer_than_the_base_model_has_positions_for(
    home: Home, make_person: MakePerson, talks: list[Event], tiny_base: Path, tmp_path: Path
) -> None:
    short = shutil.copytree(tiny_base, tmp_path / "short")
    config = json.loads((short / "config.json").read_text())
    (short / "config.json").write_text(json.dumps(config | {"max_position_embeddings": 130}))
    person = make_person("ada", [*talks, {"id": "evt-1", "type": "chat", "content": "Where to?", "response": LONG}])
    told: dict[str, str] = {}
    make_dataset(home, Asked(person, {}, {"base_model": str(short)}), told.__setitem__)
    assert told["export"].endswith("held out, 1 cut to 130 tokens")
