"""Records of long arrays, against a parser that takes the file whole."""

from __future__ import annotations

import io
import json
from typing import Any
from unittest.mock import patch

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from idiolect.memories.importers import Unreadable, json_borders, json_stream
from idiolect.memories.importers.json_stream import Batch, lenient, lines, records

texts = st.text(st.sampled_from('ab"\\[]{},: \n\u2028æ😀'), max_size=12)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)
objects = st.dictionaries(texts, values, max_size=4)


few = settings(max_examples=40, deadline=None)


def read(text: bytes, key: str | None = None, block: int = 1 << 20, **how: Any) -> tuple[list[Any], list[Unreadable]]:
    with patch.object(json_stream, "BLOCK", block):
        found = list(records(io.BytesIO(text), "x.json", object, key, **how))
    good = [record for batch in found if isinstance(batch, Batch) for record in batch.records]
    return good, [item for item in found if isinstance(item, Unreadable)]


@few
@given(st.lists(values, max_size=8), st.integers(1, 40), st.sampled_from([None, 1]), st.booleans())
def test_an_array_is_read_as_if_whole(array: list[Any], block: int, indent: int | None, ascii_only: bool) -> None:
    text = json.dumps(array, indent=indent, ensure_ascii=ascii_only).encode()
    assert read(text, block=block) == (array, [])


alike = st.recursive(
    st.fixed_dictionaries({"id": texts, "of": values}),
    lambda inner: st.fixed_dictionaries({"id": texts, "of": st.lists(inner, max_size=3)}),
    max_leaves=6,
)


@few
@given(st.lists(alike, max_size=8), st.integers(1, 300), st.sampled_from([None, 1, 4]))
def test_records_that_look_like_what_is_in_them_are_told_apart(
    array: list[Any], block: int, indent: int | None
) -> None:
    text = json.dumps(array, indent=indent).encode()
    assert read(text, block=block) == (array, [])
    whole = json.dumps({"a": [{"messages": array}, {"messages": array}]}, indent=indent).encode()
    assert read(whole, "messages", block=block) == (array * 2, [])


@pytest.mark.parametrize("indent", [None, 2])
def test_of_a_long_array_little_is_looked_through(indent: int | None) -> None:
    array = [{"id": n, "text": "}, {", "of": [{"id": 1}]} for n in range(500)]
    with patch.object(json_stream, "whole_records", wraps=json_borders.whole_records) as looked:
        assert read(json.dumps(array, indent=indent).encode(), block=2000) == (array, [])
    assert looked.call_count <= 3


@few
@given(objects, st.lists(st.lists(objects, max_size=4), max_size=4), st.integers(1, 40))
def test_each_array_of_a_key_is_read_with_its_head(other: dict[str, Any], arrays: list[Any], block: int) -> None:
    other.pop("messages", None)
    whole = {
        "about": "[",
        "chats": [{"id": n, "x": {"y": '"messages": ['}, "messages": a} for n, a in enumerate(arrays)],
        "end": 1,
    }
    text = json.dumps(whole).encode()
    with patch.object(json_stream, "BLOCK", block):
        batches = [b for b in records(io.BytesIO(text), "x.json", object, "messages") if isinstance(b, Batch)]
    by_chat: dict[int, list[Any]] = {}
    for batch in batches:
        head = json.loads(batch.head)
        assert head == {"id": head["id"], "x": {"y": '"messages": ['}, "messages": []}
        by_chat.setdefault(head["id"], []).extend(batch.records)
    assert by_chat == {n: a for n, a in enumerate(arrays) if a}


@few
@given(st.binary(max_size=80) | st.text(st.sampled_from('[]{}",:\\ a1')).map(str.encode), st.sampled_from([None, "a"]))
def test_any_bytes_end_in_records_or_a_reason(text: bytes, key: str | None) -> None:
    read(text, key, block=7)


@few
@given(st.lists(objects, min_size=1, max_size=5), st.data())
def test_a_file_that_was_cut_off_keeps_what_came_before(array: list[Any], data: st.DataObject) -> None:
    text = json.dumps(array).encode()
    cut = data.draw(st.integers(1, len(text) - 1))
    good, bad = read(text[:cut], block=16)
    assert good == array[: len(good)]
    assert bad[-1].reason == "the file ends too early"


def test_a_record_that_is_no_json_takes_no_other_with_it() -> None:
    good, bad = read(b'[{"a": 1}, {"b": nonsense}, {"c": "\xff"}, {"d": 4}]')
    assert good == [{"a": 1}, {"c": "\ufffd"}, {"d": 4}]
    assert [b.where for b in bad] == ["x.json, record 2"]


def test_known_faults_are_mended() -> None:
    good, bad = read(
        rb'[{"a": "bell \x07, path C:\\x41"}, {"b": "half \ud83d here, whole \ud83d\ude00"}, {"c": "raw' b'\x0b\n"}]'
    )
    assert good == [{"a": "bell \x07, path C:\\x41"}, {"b": "half \ufffd here, whole 😀"}, {"c": "raw\x0b\n"}]
    assert not bad


@pytest.mark.parametrize("block", [1 << 10, 1 << 20])
def test_deep_nesting_and_huge_numbers_are_harmless(block: int) -> None:
    deep = b"[" * 100_000 + b"]" * 100_000
    good, bad = read(
        b'[{"a": 1}, ' + deep + b', {"n": ' + b"9" * 100_000 + b'}, {"m": 1e999999}, {"z": 26}]', block=block
    )
    assert good[0] == {"a": 1}
    assert good[-1] == {"z": 26}
    assert {b.where for b in bad} >= {"x.json, record 2"}


def test_a_record_without_end_is_not_taken_into_memory() -> None:
    good, bad = read(b'[{"a": 1}, {"b": "' + b"x" * 100_000, block=1000, largest=20_000)
    assert good == [{"a": 1}]
    assert "a record larger than" in bad[0].reason


@few
@given(st.lists(objects, max_size=5))
def test_lines_are_read_one_by_one(rows: list[Any]) -> None:
    text = "\n\n".join(json.dumps(r, ensure_ascii=False).replace("\u2028", " ") for r in rows).encode()
    found = list(lines(io.BytesIO(text), "x.jsonl", object))
    assert [r[1] for r in found if not isinstance(r, Unreadable)] == [
        json.loads(line) for line in text.split(b"\n") if line.strip()
    ]


def test_lenient_says_why() -> None:
    with pytest.raises(ValueError, match="truncated"):
        lenient(b"{", dict[str, Any])
    assert lenient(b"\x00 {}".strip(b"\x00 "), msgspec.Raw)
