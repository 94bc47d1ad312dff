"""Whatever lies in a profile: nothing crashes, no good memory is lost, and every file has one fate."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from idiolect.config import CurationRules, Options
from idiolect.curation import curate, prepare_all, settle
from idiolect.dataset import (
    apply_schema,
    export,
    format_samples,
    ledger,
    load_chat_template,
    system_messages,
    token_counts,
)
from idiolect.home import Home
from idiolect.memories import read_event

RULES = CurationRules()
GOOD = {"content": "The one good memory of a hard year.", "type": "journal", "timestamp": "2026-01-01T00:00:00Z"}

scalar = st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None), max_size=30)
value = st.recursive(
    scalar | st.sampled_from(["1969-12-31T23:59:59Z", "9999-12-31T23:59:59-12:00", "10001-01-01", "-0001-01-01"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
FIELDS = ["id", "content", "response", "prompt", "messages", "type", "timestamp", "tags", "metadata", "observation"]
event = st.dictionaries(st.sampled_from(FIELDS), value, max_size=6)
message = st.fixed_dictionaries({"role": st.sampled_from(["user", "assistant", "x"]), "content": scalar})
talk = st.fixed_dictionaries({"messages": st.lists(message, max_size=5)})
content = st.one_of(
    st.binary(max_size=60),
    (event | talk).map(lambda e: json.dumps(e).encode("utf-8", "surrogatepass")),
    (event | talk).map(lambda e: json.dumps(e, ensure_ascii=False).encode("utf-8", "surrogatepass")),
)
name = st.text(st.sampled_from("abcÆ💬-_. "), min_size=1, max_size=8).map(lambda n: f"{n.strip() or 'n'}.json")


@given(st.dictionaries(name, content, max_size=5))
@settings(max_examples=150, deadline=None)
def test_any_files_beside_a_good_one(files: dict[str, bytes]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        profile = Home(Path(folder)).profile("ada")
        profile.memories.mkdir(parents=True)
        for file, data in files.items():
            (profile.memories / file).write_bytes(data)
        (profile.memories / "good.json").write_text(json.dumps(GOOD))
        done = settle(prepare_all(profile, Options(), RULES), Options(), RULES)
    assert [f.memory for f in done.fates] == sorted({*files, "good.json"})
    assert len(done.samples) == sum(f.fate == "kept" for f in done.fates)
    assert any(s.own_words == GOOD["content"] for s in done.samples)


@given(st.lists(event | talk, max_size=6))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_survives_becomes_sound_training_text(tiny_base: Path, events: list[Any]) -> None:
    memories = []
    for number, raw in enumerate(events):
        try:
            memories.append(read_event(raw, f"{number}.json"))
        except ValueError:
            continue
    done = curate(memories, Options(), RULES)
    systems = system_messages("Ada", Options(), RULES)
    rendered = apply_schema(format_samples(done.samples, systems), load_chat_template(tiny_base))
    tokens = token_counts(rendered, tiny_base / "tokenizer.json")
    lines = export(rendered, tokens, 2048, seed=1)
    for line, sample in zip(lines, (s for s in done.samples if tokens[s.id] <= 2048), strict=True):
        replies = [m.content for m in sample.messages if m.role == "assistant"]
        assert [line.text[a:b] for a, b in line.learned] == [f"{reply}<|im_end|>" for reply in replies]
    final = ledger(done.fates, lines)
    assert sum(f.fate in ("train", "held_out") for f in final) == len(lines)


@pytest.mark.parametrize("size", [50_000_000])
def test_fifty_megabytes_of_text_in_one_field(home: Home, size: int) -> None:
    profile = home.profile("ada")
    profile.memories.mkdir(parents=True)
    (profile.memories / "huge.json").write_text(json.dumps({"content": "x" * size}))
    (profile.memories / "good.json").write_text(json.dumps(GOOD))
    done = settle(prepare_all(profile, Options(), RULES), Options(), RULES)
    assert [(f.memory, f.fate) for f in done.fates] == [("good.json", "kept"), ("huge.json", "dropped")]
