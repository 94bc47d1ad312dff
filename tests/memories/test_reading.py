from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from idiolect.files import write_json
from idiolect.home import Home, Profile
from idiolect.memories import Memory, Turn, Unreadable, read_memories
from idiolect.memories.reading import LARGEST_BYTES


@pytest.fixture
def profile(home: Home) -> Profile:
    home.profile("ada").memories.mkdir(parents=True)
    return home.profile("ada")


def read(profile: Profile) -> tuple[dict[str, Memory], dict[str, str]]:
    found = list(read_memories(profile))
    memories = {item.source: item for item in found if isinstance(item, Memory)}
    reasons = {item.source: item.reason for item in found if isinstance(item, Unreadable)}
    assert len(memories) + len(reasons) == len(found)
    return memories, reasons


def test_any_depth_is_read_and_bad_files_are_reported(profile: Profile) -> None:
    folder = profile.memories
    write_json(folder / "a.json", {"content": "top"})
    write_json(folder / "dreams/2026/05/01/b.json", {"content": "deep"})
    write_json(folder / "list.json", [1])
    write_json(folder / "silent.json", {"type": "journal"})
    (folder / "broken.json").write_text('{"content": "half')
    (folder / "empty.json").touch()
    (folder / "latin.json").write_bytes(b'{"content": "\xe9"}')
    (folder / "deep.json").write_text("[" * 100_000)
    (folder / "secret.json.enc").write_bytes(b"\x00")
    (folder / "folder.json").mkdir()
    (folder / "notes.txt").write_text("not a memory")
    (folder / "loop").symlink_to(folder)
    (folder / "dreams/2026/up.json").symlink_to(folder / "dreams")
    (folder / "gone.json").symlink_to(folder / "nowhere")
    os.mkfifo(folder / "pipe.json")
    (folder / "zero.json").symlink_to("/dev/zero")
    memories, reasons = read(profile)
    assert set(memories) == {"a.json", "dreams/2026/05/01/b.json"}
    bad = {"broken.json", "empty.json", "latin.json", "deep.json", "list.json#1", "silent.json", "gone.json"}
    odd = {"secret.json.enc", "loop", "dreams/2026/up.json", "pipe.json", "zero.json"}
    assert set(reasons) == bad | odd
    assert reasons["loop"] == reasons["dreams/2026/up.json"] == "a link to a folder, not followed"
    assert reasons["pipe.json"] == reasons["zero.json"] == "not a file"
    assert reasons["empty.json"] == "the file is empty"
    assert "truncated" in reasons["broken.json"]
    assert reasons["gone.json"] == "No such file or directory"
    assert reasons["secret.json.enc"] == "encrypted"


def test_odd_but_whole_files_are_not_lost(profile: Profile) -> None:
    (profile.memories / "surrogate.json").write_text('{"content": "lone \\ud800 here"}')
    (profile.memories / "bom.json").write_bytes(b'\xef\xbb\xbf{"content": "marked"}')
    (profile.memories / "nul.json").write_text('{"content": "nul \\u0000 here"}')
    memories, reasons = read(profile)
    assert set(memories) == {"surrogate.json", "bom.json", "nul.json"}
    assert not reasons


def test_a_file_too_large_for_this_world_is_not_taken_in(profile: Profile) -> None:
    (profile.memories / "huge.json").write_text('{"content": "' + "x" * LARGEST_BYTES + '"}')
    assert read(profile) == ({}, {"huge.json": "larger than 16 MB"})


@contextmanager
def no_superuser(folder: Path) -> Iterator[None]:
    """Give a folder to nobody, and be nobody, where the tests run as root: root may read everything."""
    if os.geteuid() != 0:
        yield
        return
    os.chown(folder, 65534, 65534)
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_what_is_forbidden_is_reported() -> None:
    with tempfile.TemporaryDirectory() as folder, no_superuser(Path(folder)):
        profile = Home(Path(folder)).profile("ada")
        write_json(profile.memories / "a.json", {"content": "secret"})
        write_json(profile.memories / "b.json", {"content": "open"})
        write_json(profile.memories / "shut/c.json", {"content": "behind a door"})
        (profile.memories / "a.json").chmod(0)
        (profile.memories / "shut").chmod(0)
        memories, reasons = read(profile)
        (profile.memories / "shut").chmod(0o700)
    assert set(memories) == {"b.json"}
    assert reasons == {"a.json": "Permission denied", "shut": "Permission denied"}


SESSION: dict[str, Any] = {
    "sessionId": "s1",
    "questions": [{"id": "q1", "prompt": "What frightens you?"}, {"id": "q2", "prompt": "And else?"}],
    "answers": [
        {"questionId": "q1", "content": "Deep water.", "capturedAt": "2026-03-01T10:00:00Z"},
        {"questionId": "q2", "content": " "},
        {"questionId": "gone", "content": "Nothing."},
    ],
}


def test_a_therapy_session_is_a_talk(profile: Profile) -> None:
    write_json(profile.therapy / "session-1.json", SESSION)
    write_json(profile.therapy / "session-2.json", {"questions": 5})
    write_json(profile.therapy / "session-3.json", SESSION | {"answers": []})
    memories, reasons = read(profile)
    memory = memories["persona/therapy/session-1.json"]
    assert memory.turns == (Turn("other", "What frightens you?"), Turn("person", "Deep water."))
    assert (memory.type, memory.conversation) == ("therapy", "s1")
    assert memory.timestamp
    assert set(reasons) == {"persona/therapy/session-2.json", "persona/therapy/session-3.json"}


def test_an_answer_gets_the_question_that_curiosity_asked(profile: Profile, tmp_path: Path) -> None:
    write_json(profile.memories / "2026/evt-1-answer.json", {"content": "Because of the bees."})
    write_json(profile.memories / "2026/evt-2-other.json", {"content": "Rain."})
    question = {"question": "Why an island?", "answerEvent": "/elsewhere/memory/episodic/2026/evt-1-answer.json"}
    write_json(profile.answered_questions / "q1.json", question)
    write_json(profile.answered_questions / "q2.json", {"question": "Unanswered?"})
    (profile.answered_questions / "q3.json").write_text("{")
    memories, _ = read(profile)
    assert memories["2026/evt-1-answer.json"].turns == (
        Turn("other", "Why an island?"),
        Turn("person", "Because of the bees."),
    )
    assert len(memories["2026/evt-2-other.json"].turns) == 1
