"""Whatever lies in a profile: nothing crashes, no good memory is lost, and every file has one fate."""

from __future__ import annotations

import json
import os
import tempfile
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from idiolect.config import CurationRules, Options
from idiolect.curation import Curation, Fate, curate, prepare_all, settle
from idiolect.dataset import (
    apply_schema,
    export,
    format_samples,
    ledger,
    load_chat_template,
    system_messages,
)
from idiolect.files import json_record, write_json, write_jsonl
from idiolect.home import Home, Profile
from idiolect.memories import read_event

RULES = CurationRules()
GOOD = {"content": "The one good memory of a hard year.", "type": "journal", "timestamp": "2026-01-01T00:00:00Z"}

scalar = st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None), max_size=30)
DATES = ["1969-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00", "10001-01-01", "-0001-01-01"]
value = st.recursive(
    scalar | st.sampled_from([*DATES, "evt-202601010000000", "\ud800", "nul\x00", "dream", "feedback", "summary"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
FIELDS = ["id", "content", "response", "prompt", "messages", "type", "timestamp", "tags", "metadata", "observation"]
metadata = st.dictionaries(
    st.sampled_from(["cognitiveMode", "conversationId", "sessionId", "targetId", "reinforcementSignal"]),
    value | st.just(-1),
    max_size=3,
)
event = st.builds(
    lambda fields, more: fields | ({"metadata": more} if more else {}),
    st.dictionaries(st.sampled_from(FIELDS), value, max_size=6),
    metadata,
)
message = st.fixed_dictionaries({"role": st.sampled_from(["user", "assistant", "x"]), "content": scalar})
talk = st.fixed_dictionaries({"messages": st.lists(message, max_size=5)})
content = st.one_of(
    st.binary(max_size=60),
    (event | talk).map(lambda e: json.dumps(e).encode("utf-8", "surrogatepass")),
    (event | talk).map(lambda e: json.dumps(e, ensure_ascii=False).encode("utf-8", "surrogatepass")),
)
#: Names of files and folders: any bytes that a file system takes, and folders that call themselves x.json.
part = st.text(st.sampled_from("abcÆ💬-_. \\\udcff"), min_size=1, max_size=8).filter(lambda n: n.strip(". "))
path = st.lists(part.map(lambda n: f"{n}.json"), min_size=1, max_size=3).map("/".join)


def curated(profile: Profile, options: Options | None = None) -> Curation:
    """Curate a profile and write what comes of it, as the command does."""
    options = options or Options()
    done = settle(prepare_all(profile, options, RULES), options, RULES)
    write_jsonl(profile.root / "ledger.jsonl", done.fates)
    assert [d.sample for d in done.chosen] == [json_record(s) for s in done.samples]
    return done


def lay_out(profile: Profile, files: dict[str, bytes]) -> int:
    """Write files as far as the file system lets us; return how many memory files there are then."""
    for name, data in files.items():
        target = profile.memories / name
        if any(p.is_file() for p in target.parents) or target.is_dir():
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
    return sum(p.is_file() for p in profile.memories.rglob("*.json"))


@given(st.dictionaries(path, content, max_size=5), st.sampled_from(["curated", "classic"]))
@settings(max_examples=100, deadline=None)
def test_any_files_beside_a_good_one(files: dict[str, bytes], builder: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        profile = Home(Path(folder)).profile("ada")
        good = {**GOOD, "prompt": "How was it?", "response": GOOD["content"]}
        count = lay_out(profile, {"good.json": json.dumps(good).encode(), **files})
        done = curated(profile, Options(dataset_builder=builder))  # type: ignore[arg-type]
        assert len(done.fates) == len({f.memory for f in done.fates}) == count
        assert len(done.samples) == sum(f.fate == "kept" for f in done.fates)
        assert any(s.own_words == GOOD["content"] for s in done.samples) or "good.json" in files
        assert curated(profile, Options(dataset_builder=builder)) == done  # type: ignore[arg-type]


@given(st.lists(st.text("abcdefgh", min_size=3), min_size=2, max_size=6, unique=True), event, st.booleans())
@settings(max_examples=40, deadline=None)
def test_ids_that_collide_lose_no_memory(texts: list[str], other: dict[str, Any], in_folders: bool) -> None:
    """MetaHuman OS' ids have a resolution of 0.1 s: files with one id each have a fate and a sample of their own."""
    events = [{"content": text} for text in texts] + [other | {"metadata": None}]
    names = [f"{n}/evt-1.json" if in_folders else f"{n}.json" for n in range(len(events))]
    with tempfile.TemporaryDirectory() as folder:
        profile = Home(Path(folder)).profile("ada")
        lay_out(profile, {n: json.dumps(e | {"id": "evt-1"}).encode() for n, e in zip(names, events, strict=True)})
        done = curated(profile)
    assert [f.memory for f in done.fates] == sorted(names)
    assert len({s.id for s in done.samples}) == len(done.samples)
    assert {f.memory for f in done.fates if f.fate == "kept"} >= set(names[:-1])


@given(st.sampled_from(DATES) | st.datetimes().map(lambda d: d.isoformat()) | st.text(max_size=12), st.booleans())
@settings(max_examples=60, deadline=None)
def test_any_date_is_a_date_or_none_and_loses_no_memory(when: str, monthly: bool) -> None:
    memory = read_event({**GOOD, "timestamp": when}, "old.json")
    other = read_event({"content": "Another day.", "timestamp": "1660-01-01T08:00:00Z"}, "other.json")
    for options in (Options(), Options(monthly=monthly, half_life_days=1e9), Options(monthly=monthly)):
        done = curate([memory, other], options, RULES)
        assert {f.memory: f.fate for f in done.fates} == {"old.json": "kept", "other.json": "kept"}
        assert msgspec.json.decode(msgspec.json.encode(done.samples)) is not None


@given(st.lists(event | talk, max_size=6))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_survives_becomes_sound_training_text(tiny_base: Path, events: list[Any]) -> None:
    memories = []
    for number, raw in enumerate(events):
        try:
            sound = json.loads(json.dumps(raw, ensure_ascii=False).encode("utf-8", "ignore"))
            memories.append(read_event(sound, f"{number}.json"))
        except ValueError:
            continue
    done = curate(memories, Options(), RULES)
    systems = system_messages("Ada", Options(), RULES)
    rendered = apply_schema(
        format_samples(done.samples, systems), load_chat_template(tiny_base), tiny_base / "tokenizer.json", 2048
    )
    lines = export(rendered, seed=1)
    for line, sample in zip(lines, done.samples, strict=True):
        replies = [m.content for m in sample.messages if m.role == "assistant"]
        assert [line.text[a:b] for a, b in line.learned] == [f"{reply}<|im_end|>" for reply in replies]
    final = ledger(done.fates, rendered, lines)
    assert sum(f.fate in ("train", "held_out") for f in final) == len(lines)


@pytest.mark.parametrize("size", [50_000_000])
def test_fifty_megabytes_of_text_in_one_field(home: Home, size: int) -> None:
    profile = home.profile("ada")
    write_json(profile.memories / "good.json", GOOD)
    (profile.memories / "huge.json").write_text(json.dumps({"content": "x" * size}))
    done = curated(profile)
    assert [(f.memory, f.fate, f.detail) for f in done.fates] == [
        ("good.json", "kept", ""),
        ("huge.json", "dropped", "larger than 16 MB"),
    ]


@pytest.mark.parametrize("piece", [" ", "\n", "a\n" + " " * 2000, "a. ", "``` ", "\x00", "e\u0301", "Sure! ", "+47 "])
def test_a_long_text_costs_no_more_a_character_than_a_short_one(piece: str) -> None:
    def seconds(length: int) -> float:
        text = "x" + piece * (length // len(piece)) + "x"
        began = time.process_time()
        curate([read_event({"content": text}, "a.json")], Options(), RULES)
        return time.process_time() - began

    seconds(1000)
    assert seconds(200_000) < 100 * max(seconds(10_000), 0.002)


def test_loops_pipes_and_forbidden_folders_are_said_and_harm_nothing(home: Home) -> None:
    profile = home.profile("ada")
    write_json(profile.memories / "folder.json/good.json", GOOD)
    (profile.memories / "folder.json/loop.json").symlink_to(profile.memories)
    (profile.memories / "self.json").symlink_to(profile.memories / "self.json")
    os.mkfifo(profile.memories / "pipe.json")
    done = curated(profile)
    assert {f.memory: f.detail for f in done.fates} == {
        "folder.json/good.json": "",
        "folder.json/loop.json": "a link to a folder, not followed",
        "pipe.json": "not a file",
        "self.json": "Too many levels of symbolic links",
    }
    assert [f for f in done.fates if f.fate == "kept"] == [
        Fate(memory="folder.json/good.json", fate="kept", sample=done.samples[0].id)
    ]
