"""Archives that mean harm, or were only packed oddly."""

from __future__ import annotations

import io
import json
import stat
import zipfile
from pathlib import Path

import pytest

from idiolect.errors import ExportFault
from idiolect.home import Home
from idiolect.memories.importers import Asked, Export, bring_in
from idiolect.memories.importers import export as module


def zipped(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def test_a_file_a_folder_a_zip_and_zips_in_a_folder(tmp_path: Path) -> None:
    (tmp_path / "f/sub").mkdir(parents=True)
    (tmp_path / "f/sub/part10.txt").write_text("10")
    (tmp_path / "f/sub/part9.txt").write_text("9")
    zipped(tmp_path / "f/more.zip", {"in/zip.txt": b"z"})
    with Export(tmp_path / "f") as export:
        assert list(export.members) == ["more.zip/in/zip.txt", "sub/part9.txt", "sub/part10.txt"]
        assert [export.whole(m) for m in export.members.values()] == [b"z", b"9", b"10"]
        assert [m.stem for m in export.matching(r"part\d+\.txt")] == ["part9", "part10"]
    with Export(tmp_path / "f/more.zip") as export:
        assert list(export.members) == ["in/zip.txt"]
    with Export(tmp_path / "f/sub/part9.txt") as export:
        assert list(export.members) == ["part9.txt"]
    with pytest.raises(ExportFault, match=r"There is no .*gone"):
        Export(tmp_path / "gone").__enter__()


def test_nothing_leaves_the_archive(tmp_path: Path) -> None:
    before = sorted(tmp_path.rglob("*"))
    link = zipfile.ZipInfo("link.json")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    path = zipped(tmp_path / "evil.zip", {"../../../outside.json": b"[]", "/etc/passwd": b"x", "a\\..\\b.json": b"[]"})
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(link, "/etc/passwd")
    with Export(path) as export:
        assert [export.whole(m) for m in export.members.values()]
        assert export.refused == [("link.json", "a link")]
    assert sorted(tmp_path.rglob("*")) == [*before, path]


def test_links_in_a_folder_are_not_followed(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "result.json").write_text("[]")
    folder = tmp_path / "export"
    folder.mkdir()
    (folder / "dir").symlink_to(secret)
    (folder / "result.json").symlink_to(secret / "result.json")
    (folder / "loop").symlink_to(folder)
    with Export(folder) as export:
        assert not export.members
        assert export.refused == [("result.json", "a link")]


def test_bombs_are_not_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BOMB_BYTES", 1_000_000)
    path = zipped(
        tmp_path / "bomb.zip", {"conversations.json": b"[" + b" " * 5_000_000 + b"]", "small.json": b" " * 900_000}
    )
    with Export(path) as export:
        assert list(export.members) == ["small.json"]
        assert export.refused == [("conversations.json", "unpacks to more than text can")]


def test_a_member_that_lies_about_its_size_is_read_no_further(tmp_path: Path) -> None:
    path = zipped(tmp_path / "liar.zip", {"a.json": json.dumps(["x" * 1000] * 100).encode()})
    raw = bytearray(path.read_bytes())
    at = raw.find(b"PK\x01\x02") + 24
    raw[at : at + 4] = (10).to_bytes(4, "little")
    path.write_bytes(raw)
    with Export(path) as export:
        (member,) = export.members.values()
        assert len(export.head(member)) <= 10


def test_broken_and_encrypted_zips_are_named(tmp_path: Path) -> None:
    (tmp_path / "broken.zip").write_bytes(b"PK\x03\x04 not really")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a.json", "[]")
    raw = bytearray(buffer.getvalue())
    raw[raw.find(b"PK\x01\x02") + 8] |= 1
    (tmp_path / "locked.zip").write_bytes(raw)
    with Export(tmp_path) as export:
        assert not export.members
        assert dict(export.refused)["locked.zip/a.json"] == "encrypted"
        assert "not a zip that can be read" in dict(export.refused)["broken.zip/"]


def test_what_is_too_large_to_be_held_is_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LARGEST_WHOLE", 1000)
    (tmp_path / "a.json").write_bytes(b" " * 1001)
    with Export(tmp_path) as export, pytest.raises(ValueError, match="larger than"):
        export.whole(export.members["a.json"])


def test_a_damaged_download_is_said_to_be_one(home: Home, tmp_path: Path) -> None:
    messages = [{"id": n, "type": "message", "from_id": "user1", "text": f"{n * 7919}"} for n in range(3000)]
    whole = {"about": "", "personal_information": {"user_id": 1}, "chats": {"list": [{"id": 1, "messages": messages}]}}
    path = zipped(tmp_path / "export.zip", {"result.json": json.dumps(whole).encode()})
    raw = bytearray(path.read_bytes())
    middle = len(raw) * 2 // 3
    raw[middle : middle + 200] = b"\xff" * 200
    path.write_bytes(raw)
    with Export(path) as export, pytest.raises(ExportFault, match="cannot be read to its end"):
        bring_in("telegram", export, home.profile("ada"), Asked(), pause=1)
    assert not home.profile("ada").memories.exists()
    assert not home.profile("ada").importing("telegram").exists()
