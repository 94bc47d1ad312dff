from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import msgspec
import pytest

from idiolect.errors import DamagedFile
from idiolect.files import json_record, read_json, sha256, whole, write_json, write_json_records, write_jsonl


def test_a_file_appears_only_when_whole(tmp_path: Path) -> None:
    target = tmp_path / "deep" / "file.txt"
    with whole(target) as partial:
        partial.write_text("new")
        assert not target.exists()
    assert target.read_text() == "new"
    assert [p.name for p in target.parent.iterdir()] == ["file.txt"]


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, OSError])
def test_an_interruption_leaves_what_was_there(tmp_path: Path, interruption: type[BaseException]) -> None:
    target = tmp_path / "file.txt"
    target.write_text("old")

    def write() -> None:
        with whole(target) as partial:
            partial.write_text("half")
            raise interruption

    with pytest.raises(interruption):
        write()
    assert {p.name: p.read_text() for p in tmp_path.iterdir()} == {"file.txt": "old"}


def test_a_folder_replaces_a_folder(tmp_path: Path) -> None:
    target = tmp_path / "folder"
    for content in ("one", "two"):
        with whole(target) as partial:
            partial.mkdir()
            (partial / content).write_text(content)
    assert [p.name for p in target.iterdir()] == ["two"]
    assert [p.name for p in tmp_path.iterdir()] == ["folder"]


def test_json_is_utf8_and_hashed(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", {"é": [1, 2]})
    assert (tmp_path / "a.json").read_text(encoding="utf-8") == '{\n  "é": [\n    1,\n    2\n  ]\n}\n'
    write_jsonl(tmp_path / "a.jsonl", [{"a": 1}, {"b": 2}])
    assert (tmp_path / "a.jsonl").read_bytes() == b'{"a":1}\n{"b":2}\n'
    (tmp_path / "abc").write_bytes(b"abc")
    # FIPS 180-2, appendix B.1
    assert sha256(tmp_path / "abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


@pytest.mark.parametrize("records", [[], [{}], [{"a": [1, {"b": "c\nd"}]}, "é", []]])
def test_records_written_one_by_one_are_the_list_written_at_once(tmp_path: Path, records: list[object]) -> None:
    write_json(tmp_path / "at once.json", records)
    write_json_records(tmp_path / "one by one.json", map(json_record, records))
    assert (tmp_path / "one by one.json").read_bytes() == (tmp_path / "at once.json").read_bytes()


class _Small(msgspec.Struct):
    name: str
    more: dict[str, Any] = {}


DAMAGES = {
    "cut short": b'{"name": "a',
    "empty": b"",
    "no UTF-8": b'{"name": "\xff\xfe"}',
    "another type": b'{"name": 5}',
    "a list": b"[]",
    "null": b"null",
    "a field that is not there": b"{}",
    "nothing but zeros": bytes(4096),
    "nested without end": b'{"name": "a", "more": ' + b'{"a": ' * 100_000,
    "nested too deep for what reads it": b'{"a": ' * 300 + b"1" + b"}" * 300,
}


@pytest.mark.parametrize("content", DAMAGES.values(), ids=DAMAGES)
def test_each_damage_of_a_json_file_is_one_error_that_names_it(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(content)
    with pytest.raises(DamagedFile, match=r"a\.json cannot be read: ."):
        read_json(path, _Small)


def test_what_is_no_file_is_named_as_well_and_never_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    for name in ("pipe", "folder", "nothing"):
        with pytest.raises(DamagedFile, match=name):
            read_json(tmp_path / name, dict)


def test_a_sound_file_is_read_as_its_type(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", {"name": "é", "more": {"deep": [[[[1]]]]}})
    assert read_json(tmp_path / "a.json", _Small) == _Small("é", {"deep": [[[[1]]]]})
