"""Every parser, on exports that somebody or something has damaged: no crash, and every message accounted for."""

from __future__ import annotations

import json
import math
import tempfile
from collections import Counter
from collections.abc import Callable
from datetime import UTC
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from idiolect.errors import ExportFault
from idiolect.memories import read_event
from idiolect.memories.importers import SOURCES, Asked, Export, Message, Selves, Survey
from idiolect.memories.importers.conversations import Builder, Left
from idiolect.memories.importers.events import Writing
from idiolect.memories.importers.ledger import Seen
from idiolect.memories.importers.message import Unreadable
from idiolect.memories.importers.talks import Talk
from tests.memories.importers.exports import FORMS, LIFE, chat_db
from tests.memories.importers.test_sources import GOLDEN, ME

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.just("9" * 30),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=5,
)
FILES = sorted(p.relative_to(GOLDEN) for p in GOLDEN.rglob("*") if p.is_file() and p.parent != GOLDEN)
JSON = [p for p in FILES if p.suffix in (".json", ".jsonl") and "2024-03-07" not in p.name]


def whole_way(source: str, folder: Path) -> None:
    """Read an export, build its talks and events, and check what every import promises."""
    seen = Seen()
    survey = Survey()
    fates: Counter[str] = Counter()
    writing = Writing(source, "ada", UTC)
    builder = Builder(Selves(ME), lambda t, m: seen.add((t, m)), lambda *_: False, 6 * 3600)
    with Export(folder) as export:
        try:
            for item in builder.build(map(sound, survey.watch(SOURCES[source].read(export, Asked(me=ME))))):
                if isinstance(item, Left):
                    fates["left"] += 1
                    continue
                assert item.turns[-1].mine
                assert all(a.mine != b.mine for a, b in zip(item.turns, item.turns[1:], strict=False))
                fates["own"] += len(item.own)
                fates["context"] += len(item.context) - item.again
                check_event(*writing.event(item), item)
        except ExportFault:
            return
    assert fates.total() == survey.messages


def sound(message: Message) -> Message:
    assert all(
        isinstance(t, str)
        for t in (message.id, message.text, message.thread.key, message.thread.title, message.who.name)
    )
    assert message.when is None or math.isfinite(message.when)
    assert message.kind != "said" or message.text.strip() or message.thread.type == "conversation"
    return message


def check_event(path: str, event: dict[str, Any], talk: Talk) -> None:
    written = msgspec.json.decode(msgspec.json.encode(event))
    memory = read_event(written, path)
    assert len(path.encode()) < 200
    assert ".." not in path
    assert [t.speaker == "person" for t in memory.turns] == [t.mine for t in talk.turns]


@pytest.mark.parametrize("form", FORMS)
def test_the_whole_way_is_gone_without_damage(form: str, tmp_path: Path) -> None:
    source, write, _ = FORMS[form]
    write(tmp_path, LIFE)
    whole_way(source, tmp_path)


def damaged(file: Path, content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for other in FILES:
            if other.parts[0] == file.parts[0]:
                place = Path(folder, *other.parts[1:])
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes(content if other == file else (GOLDEN / other).read_bytes())
        whole_way(file.parts[0], Path(folder))


def thorough(examples: int) -> Callable[[Any], Any]:
    return settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck))


def bytes_changed(file: Path, data: st.DataObject) -> None:
    content = (GOLDEN / file).read_bytes()
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(content)))
        gone = data.draw(st.integers(0, 40))
        new = data.draw(
            st.binary(max_size=6) | st.sampled_from([b"\n", b'"', b"{", b"]", b"\\", b"> ", b": ", b"\xe2\x80\x8e"])
        )
        content = content[:start] + new + content[start + gone :]
    damaged(file, content)


def values_replaced(file: Path, data: st.DataObject) -> None:
    content = (GOLDEN / file).read_text(encoding="utf-8")
    parts = content.splitlines() if file.suffix == ".jsonl" else [content]
    out = []
    for part in parts:
        try:
            value = json.loads(part.replace("\\x0", "\\u000"))
        except ValueError:
            out.append(part)
            continue
        for _ in range(data.draw(st.integers(0, 3))):
            value = replaced(value, data)
        out.append(json.dumps(value))
    damaged(file, "\n".join(out).encode())


def replaced(value: Any, data: st.DataObject) -> Any:
    """Replace something within a value, at any depth, by anything."""
    if isinstance(value, dict | list) and value and data.draw(st.integers(0, 9)):
        key = data.draw(st.sampled_from(list(value) if isinstance(value, dict) else range(len(value))))
        value[key] = replaced(value[key], data)
        return value
    return data.draw(anything)


@pytest.mark.parametrize("file", FILES, ids=str)
@thorough(3)
@given(data=st.data())
def test_bytes_that_were_changed_cut_and_put_in(file: Path, data: st.DataObject) -> None:
    bytes_changed(file, data)


@pytest.mark.parametrize("file", JSON, ids=str)
@thorough(4)
@given(data=st.data())
def test_values_of_wrong_types_anywhere(file: Path, data: st.DataObject) -> None:
    values_replaced(file, data)


@pytest.mark.slow
@pytest.mark.parametrize("file", FILES, ids=str)
@thorough(60)
@given(data=st.data())
def test_many_damages(file: Path, data: st.DataObject) -> None:
    bytes_changed(file, data)
    if file in JSON:
        values_replaced(file, data)


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("plain/chat.csv", b"When;From;Message;Ro\0\0-03-05;Ada\xd1\r\xd1 Lunde;Yes\n"),
        ("plain/chat.csv", b"text\n" + b"a" * 20_000_000),
        ("mbox/all.mbox", b"From 1\nFrom: ada@example.org\nSubject: =?x?b?A?=\nDate: =?x?b?A?=\n\nHello.\n"),
    ],
    ids=["a bare return", "a field without end", "a header that is no base64"],
)
def test_what_fuzzing_found(file: str, content: bytes) -> None:
    damaged(Path(file), content)


def _with_a_damaged_schema(content: bytes) -> bytes:
    return content.replace(b"CREATE TABLE handle", b"CREATE \xb3ABLE handle")


def _with_an_absurd_length(content: bytes) -> bytes:
    """Let the first record of the table on the last page (chat_message_join) be longer than any file."""
    page = bytearray(content[-4096:])
    at = 2048
    page[8:10] = at.to_bytes(2, "big")
    page[at : at + 19] = b"\xff" * 19
    return content[:-4096] + page


@pytest.mark.parametrize("damage", [_with_a_damaged_schema, _with_an_absurd_length])
def test_a_damaged_database_is_said_to_be_one(damage: Callable[[bytes], bytes], tmp_path: Path) -> None:
    file = chat_db(tmp_path, LIFE[:4]) / "chat.db"
    file.write_bytes(damage(file.read_bytes()))
    with Export(tmp_path) as export:
        (fault,) = SOURCES["imessage"].read(export, Asked(me=ME))
    assert isinstance(fault, Unreadable)
    assert "damaged" in fault.reason


@pytest.mark.parametrize("source", SOURCES)
@thorough(4)
@given(content=st.binary(max_size=200) | st.text(max_size=100).map(str.encode))
def test_files_of_the_right_names_with_anything_in_them(source: str, content: bytes) -> None:
    for file in FILES:
        if file.parts[0] == source:
            damaged(file, content)
