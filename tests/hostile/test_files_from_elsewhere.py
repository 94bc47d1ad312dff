"""Promise: what another computer, an archive or an upload sends lies in its folder, and is what was announced."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from idiolect.arrivals import Announced, Arrival, Refused, announced, placed
from idiolect.errors import NoRoom, RunFailed
from idiolect.files import write_text
from idiolect.machines import on_site
from idiolect.machines.cluster import _take
from idiolect.machines.connection import connected
from idiolect.machines.far_job import checkpoint_names
from idiolect.machines.transfer import Far, fetch_folder
from tests.hostile.box import HostileBox
from tests.hostile.cases import cases

OWNED = b"the bytes of the box"
DIGEST = hashlib.sha256(OWNED).hexdigest()
ELSEWHERE = [
    "../owned",
    "../../../../../etc/owned.json",
    "a/../../owned",
    "/var/owned-by-a-box",
    "//owned",
    "./owned",
    "a/./owned",
    "a//owned",
    "..",
    "",
    "C:/owned",
    "c:owned",
    "..\\owned",
    "\\\\host\\share",
    "a\0b",
    "a\x1b]0;title\x07",
    "outputs.partial",
    "x.partial/y",
    "a/" * 40 + "owned",
    "n" * 300,
]


@pytest.fixture
def box(tmp_path: Path) -> Iterator[HostileBox]:
    running = HostileBox(tmp_path / "box").start()
    yield running
    running.stop()


def fetched(box: HostileBox, there: Path, here: Path) -> None:
    async def fetch() -> None:
        async with connected(box.described, box.known_hosts) as connection:
            await fetch_folder(Far(connection, box.described.python), str(there), here, lambda *_: None)

    asyncio.run(fetch())


def everything_below(folder: Path) -> dict[str, bytes]:
    return {str(f.relative_to(folder)): f.read_bytes() for f in folder.rglob("*") if f.is_file()}


@pytest.mark.parametrize("name", cases(ELSEWHERE, 6))
def test_a_box_that_names_a_file_elsewhere_gets_none_of_its_bytes_here(
    box: HostileBox, tmp_path: Path, name: str
) -> None:
    write_text(tmp_path / "there" / "sound", "sound")
    write_text(tmp_path / "person" / "etc" / "owned.json", "the person's own")
    before = everything_below(tmp_path / "person")
    box.alter = lambda words, answer: answer + f"{len(OWNED)}\t{DIGEST}\t{name}\n" if "list" in words else answer
    with pytest.raises(RunFailed, match="is not taken"):
        fetched(box, tmp_path / "there", tmp_path / "person" / "runs" / "outputs")
    assert everything_below(tmp_path / "person") == before


LISTS = {
    "more bytes than were announced": lambda line: "3\t" + line.partition("\t")[2],
    "other bytes than were announced": lambda line: line.replace(DIGEST, "0" * 64),
    "fewer bytes than were announced": lambda line: "1000\t" + line.partition("\t")[2],
    "a negative size": lambda line: "-1\t" + line.partition("\t")[2],
    "a size that is no number": lambda line: "²\t" + line.partition("\t")[2],
    "no hash": lambda line: line.replace(DIGEST, ""),
    "one name twice": lambda line: line * 2,
    "a file that is a folder, too": lambda line: line + line.replace("weights", "weights/more"),
    "no list": lambda _: "Welcome to Ubuntu!\n",
}


@pytest.mark.parametrize("lie", cases(LISTS, 4))
def test_a_box_that_lies_about_a_file_leaves_nothing_of_it_here(box: HostileBox, tmp_path: Path, lie: object) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "weights").write_bytes(OWNED)

    def alter(words: list[str], answer: str) -> str:
        mark, _, listed = answer.partition("\n")  # the first line is ours, and what the login says goes before it
        return f"{mark}\n{lie(listed)}" if "list" in words else answer  # type: ignore[operator]

    box.alter = alter
    with pytest.raises(RunFailed, match="is not taken"):
        fetched(box, tmp_path / "there", tmp_path / "here")
    assert everything_below(tmp_path / "here") == {}


def test_more_than_the_disk_has_room_for_is_refused_before_the_first_byte(box: HostileBox, tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "weights").write_bytes(OWNED)
    box.alter = lambda words, answer: answer.replace("20\t", f"{10**14}\t") if "list" in words else answer
    with pytest.raises(NoRoom, match=r"100,000\.0 GB to fetch"):
        fetched(box, tmp_path / "there", tmp_path / "here")
    assert everything_below(tmp_path / "here") == {}


def test_a_link_on_the_way_is_not_followed_whoever_has_laid_it(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "checkpoint-1").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "folder" / "file.partial").symlink_to(tmp_path / "elsewhere" / "owned")
    with pytest.raises(Refused, match="through a link"):
        placed(tmp_path / "folder", "checkpoint-1/owned")
    with pytest.raises(Refused, match="through a link"), Arrival(tmp_path / "folder", Announced("file", 3, DIGEST)):
        pass
    assert not list((tmp_path / "elsewhere").iterdir())


def test_a_file_that_was_cut_off_goes_on_where_it_was(tmp_path: Path) -> None:
    file = Announced("sub/file", len(OWNED), DIGEST)

    def cut_off() -> None:
        with Arrival(tmp_path, file) as arriving:
            arriving.write(OWNED[:8])
            raise ConnectionError

    with pytest.raises(ConnectionError):
        cut_off()
    assert not (tmp_path / "sub" / "file").exists()
    with Arrival(tmp_path, file) as arriving:
        assert (arriving.begun, arriving.sha256) == (8, hashlib.sha256(OWNED[:8]).hexdigest())
        arriving.write(OWNED[8:])
    assert everything_below(tmp_path) == {"sub/file": OWNED}
    assert Arrival(tmp_path, file).is_here


@pytest.mark.parametrize("name", ["..", "../../.ssh", "checkpoint-1/../..", "checkpoint-", ".bashrc", "checkpoint-٣"])
def test_what_a_box_calls_a_checkpoint_is_one(name: str) -> None:
    assert checkpoint_names(["checkpoint-12"], "box") == ["checkpoint-12"]
    with pytest.raises(RunFailed, match="that is not taken"):
        checkpoint_names(["checkpoint-12", name], "box")


def test_a_link_on_a_shared_disk_brings_nothing_of_this_computer_and_wiping_overwrites_nothing(tmp_path: Path) -> None:
    private = tmp_path / "private.json"
    private.write_bytes(b"the person's own")
    shared = tmp_path / "shared" / "outputs"
    shared.mkdir(parents=True)
    (shared / "weights").write_bytes(OWNED)
    (shared / "result.json").symlink_to(private)
    with pytest.raises(RunFailed, match="through a link"):
        _take(shared, tmp_path / "here", lambda _: None, "results")
    assert not (tmp_path / "here").exists()
    on_site.wipe(tmp_path / "shared")
    assert private.read_bytes() == b"the person's own"
    shared.mkdir(parents=True)
    (shared / "weights").write_bytes(OWNED)
    os.mkfifo(shared / "pipe")
    _take(shared, tmp_path / "here", lambda _: None, "results")
    assert everything_below(tmp_path / "here") == {"weights": OWNED}


def test_a_list_without_end_is_refused() -> None:
    lines = (f"1\t{DIGEST}\tfile-{n}" for n in range(10**9))
    with pytest.raises(Refused, match="more than"):
        announced(lines)
