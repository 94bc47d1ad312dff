"""What MetaHuman OS gets wrong about data sets, by the numbers that our list of its bugs gives them.

1–4, 8, 11 and 12 are about runs, the registry and machines, and have their tests there.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from idiolect.config import CurationRules, Options
from idiolect.curation import Curation, prepare_all, settle
from idiolect.dataset import apply_schema, format_samples, load_chat_template, system_messages
from idiolect.files import write_json
from idiolect.home import Home

RULES = CurationRules()
CODE = "```python\nfor hive in hives:\n    if  hive.open:\n        look(hive)\n```"


@pytest.fixture
def curated(home: Home) -> Any:
    """Return a function that writes events by their paths and curates them."""

    def write_and_curate(events: dict[str, dict[str, Any]], options: Options | None = None) -> Curation:
        profile = home.profile("ada")
        for path, event in events.items():
            write_json(profile.memories / path, event)
        options = options or Options()
        return settle(prepare_all(profile, options, RULES), options, RULES)

    return write_and_curate


def kept(done: Curation) -> set[str]:
    return {fate.memory for fate in done.fates if fate.fate == "kept"}


def test_5_ids_collide_in_a_tenth_of_a_second(curated: Any) -> None:
    one, other = ({"id": "evt-202601010000000", "content": text} for text in ("Wind west.", "The cat is back."))
    done = curated({"2026/01/01/evt-1-wind.json": one, "2026/01/01/evt-1-cat.json": other})
    assert len(kept(done)) == len({s.id for s in done.samples}) == 2


def test_5_importance_0_is_no_half_and_decides_nothing(curated: Any) -> None:
    events = {f"{n}.json": {"content": f"Day {n}: {n * 37} bees.", "importance": n / 10} for n in range(11)}
    assert kept(curated(events)) == set(events)


def test_5_the_date_is_the_timestamps_and_not_the_folders(curated: Any) -> None:
    """Folders are named by local dates: the evening of the 28th in UTC lies in March."""
    late = {"content": "Late in the evening.", "timestamp": "2026-02-28T23:30:00Z"}
    new = {"content": "The next month.", "timestamp": "2026-03-30T23:00:00Z"}
    older = {"content": "Rain before.", "timestamp": "2026-02-28T22:30:00Z"}
    events = {"2026/03/01/late.json": late, "2026/03/31/new.json": new, "2026/03/01/older.json": older}
    done = curated(events, Options(days_recent=30, old_samples=0))
    assert kept(done) == {"2026/03/31/new.json", "2026/03/01/late.json"}


def test_6_any_depth_and_category_is_read(curated: Any) -> None:
    paths = ("a.json", "2026/b.json", "2026/05/01/c.json", "dreams/2026/05/01/d.json", "reflections/x/y/z/e.json")
    done = curated({path: {"content": f"Said in {path}, once."} for path in paths})
    assert kept(done) == set(paths)


def test_6_a_journal_without_a_reply_is_no_reason_to_drop_it(curated: Any) -> None:
    events = {f"{kind}.json": {"type": kind, "content": f"My {kind}."} for kind in ("reflection", "journal", "dream")}
    assert kept(curated(events)) == set(events)


@pytest.mark.parametrize(
    ("path", "event"),
    [
        ("ai-ingestor/2026/book.json", {"tags": ["ingested", "ai", "curated"]}),
        ("tool-invocations/2026/t.json", {}),
        ("2026/s.json", {"type": "summary"}),
        ("2026/r.json", {"type": "reflection_summary"}),
        ("2026/t.json", {"type": "tool_invocation"}),
        ("2026/q.json", {"type": "curiosity_question"}),
        ("2026/a.json", {"type": "audio", "tags": ["audio", "transcript"]}),
        ("2026/d.json", {"type": "inner_dialogue", "tags": ["agency", "planning", "inner"]}),
    ],
)
def test_7_what_a_machine_wrote_is_not_learned(curated: Any, path: str, event: dict[str, Any]) -> None:
    done = curated({path: {"content": "They like bees.", **event}, "own.json": {"content": "I like bees a lot."}})
    assert kept(done) == {"own.json"}
    assert [f.rule for f in done.fates if f.fate == "dropped"] == ["written by a machine"]


def test_9_nothing_is_cut_to_forty_words_with_an_ellipsis(curated: Any) -> None:
    long = " ".join(f"Sentence {n} of a long day." for n in range(60))
    (sample,) = curated({"a.json": {"content": "And?", "response": long}}).samples
    assert sample.own_words == long


def test_9_code_lists_and_line_breaks_survive(curated: Any) -> None:
    reply = f"Look:\n\n{CODE}\n\n- one\n- two\n  - three"
    (sample,) = curated({"a.json": {"content": f"How?\n{CODE}", "response": reply}}).samples
    assert [m.content for m in sample.messages] == [f"How?\n{CODE}", reply]


def test_10_loss_falls_on_the_reply_alone_under_the_models_own_template(curated: Any, tiny_base: Path) -> None:
    done = curated({"a.json": {"content": "How was it?", "response": "Wet.", "type": "dream"}})
    systems = system_messages("Ada", Options(), RULES)
    (rendered,) = apply_schema(
        format_samples(done.samples, systems), load_chat_template(tiny_base), tiny_base / "tokenizer.json", 2048
    )
    assert [rendered.text[start:end] for start, end in rendered.learned] == ["Wet.<|im_end|>"]
    assert json.dumps(systems["dual"])[1:-1] in rendered.text
    for tag in ("<thought>", "<world>", "<|user|>", "<|assistant|>"):
        assert tag not in rendered.text
