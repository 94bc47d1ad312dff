"""All memories of a person, from the files of their profile, one at a time.

    memory/episodic/**/*.json               events
    persona/therapy/session-*.json          therapy sessions
    memory/curiosity/questions/answered/    what an event was the answer to

A file that cannot be read is reported, never fatal, and never takes another with it.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from idiolect.home import Profile
from idiolect.memories.asked import read_question, read_session
from idiolect.memories.memory import Memory, Turn
from idiolect.memories.metahuman import read_event

#: A larger file holds no memory that could be trained on, but would fill this computer's.
LARGEST_BYTES = 16_000_000

#: Time of change, size, and the question that the file answers.
Stamp = tuple[int, int, str]

#: A pipe that calls itself x.json would otherwise be waited for.
_HOW = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


class Unreadable(msgspec.Struct, frozen=True):
    """A memory file that could not be read, and why."""

    source: str
    reason: str


class MemoryFile(msgspec.Struct, frozen=True):
    """A file that holds a memory; `source` is its name in ledgers, `question` what it answers, if known."""

    path: str
    source: str
    read: Callable[[Any, str], Memory]
    question: str | None = None


def memory_files(profile: Profile) -> Iterator[MemoryFile | Unreadable]:
    """List a person's memory files, in the order of their paths."""
    questions, unread_questions = _answered_questions(profile)
    top = len(str(profile.memories)) + 1
    for path, fault in _walk(profile.memories):
        if fault:
            yield Unreadable(_printable(path[top:] or path), fault)
        else:
            asked = questions.get(path.rpartition("/")[2]) if questions else None
            yield MemoryFile(path, _printable(path[top:]), read_event, asked)
    for session in sorted(profile.therapy.glob("session-*.json")):
        yield MemoryFile(str(session), _printable(str(session.relative_to(profile.root))), read_session)
    yield from unread_questions


def stamp(file: MemoryFile) -> Stamp | None:
    """Return what tells a changed file from the one that was read; None for one that cannot be looked at."""
    try:
        return _stamp(os.stat(file.path), file)  # noqa: PTH116 - as below
    except OSError:
        return None


def read_memory(file: MemoryFile) -> Memory | Unreadable:
    """Read one memory file."""
    return read_stamped(file)[0]


def read_stamped(file: MemoryFile) -> tuple[Memory | Unreadable, Stamp | None]:
    """Read one memory file, and what will tell it from a changed one; None if it cannot be read."""
    try:
        content, state = _content(file.path)
        memory = file.read(decoded(content), file.source)
    except OSError as error:
        return Unreadable(file.source, error.strerror or "cannot be opened"), None
    except (ValueError, RecursionError) as error:
        return Unreadable(file.source, str(error)), None
    if file.question and memory.turns[0].speaker == "person":
        memory = msgspec.structs.replace(memory, turns=(Turn("other", file.question), *memory.turns))
    return memory, _stamp(state, file)


def read_memories(profile: Profile) -> Iterator[Memory | Unreadable]:
    """Read all memories of a person."""
    return (read_memory(f) if isinstance(f, MemoryFile) else f for f in memory_files(profile))


def decoded(content: bytes) -> Any:
    """Decode the JSON of a file. Raises ValueError with the reason for one that holds none."""
    if not content:
        raise ValueError("the file is empty")
    try:
        return msgspec.json.decode(content)
    except msgspec.DecodeError as fault:
        # Lone surrogates, and a byte order mark: no reason to lose a memory.
        try:
            text = json.dumps(json.loads(content.decode("utf-8-sig")), ensure_ascii=False)
            return json.loads(text.encode("utf-8", "ignore"))
        except ValueError:
            raise ValueError(str(fault)) from None


def _stamp(state: os.stat_result, file: MemoryFile) -> Stamp:
    return state.st_mtime_ns, state.st_size, file.question or ""


def _content(path: str) -> tuple[bytes, os.stat_result]:
    """Read a whole file, and its state before that, with a third of what open() asks of the system."""
    file = os.open(path, _HOW)
    try:
        state = os.fstat(file)
        if not stat.S_ISREG(state.st_mode):
            raise ValueError("not a file")
        if state.st_size > LARGEST_BYTES:
            raise ValueError(f"larger than {LARGEST_BYTES // 1_000_000} MB")
        content = os.read(file, state.st_size)
        while len(content) < state.st_size and (more := os.read(file, state.st_size - len(content))):
            content += more
        return content, state
    finally:
        os.close(file)


def _walk(folder: Path) -> Iterator[tuple[str, str | None]]:
    """Yield the path of each memory file below a folder, and of what cannot be entered or read, the reason.

    Links to folders are not followed, as MetaHuman OS does not: they may run in loops, or out into the whole disk.
    """
    faults: list[OSError] = []
    for parent, folders, files in os.walk(folder, onerror=faults.append):
        folders.sort()
        for name in folders:
            if os.path.islink(path := os.path.join(parent, name)):  # noqa: PTH114, PTH118 - as below
                yield path, "a link to a folder, not followed"
        for name in sorted(files):
            if name.endswith(".json"):
                yield os.path.join(parent, name), None  # noqa: PTH118 - a hundred thousand times
            elif name.endswith(".enc"):
                yield os.path.join(parent, name), "encrypted"  # noqa: PTH118
    for fault in faults:
        if not isinstance(fault, FileNotFoundError):
            yield str(fault.filename), fault.strerror or "cannot be entered"


def _printable(path: str) -> str:
    """Return a name that can be written into a file: those of files may be any bytes."""
    return path if path.isascii() else os.fsencode(path).decode("utf-8", "backslashreplace")


def _answered_questions(profile: Profile) -> tuple[Mapping[str, str], list[Unreadable]]:
    """Map the file name of an answer to its question; return, too, which questions cannot be read."""
    questions, unread = {}, []
    for path in sorted(profile.answered_questions.glob("*.json")):
        try:
            answer, question = read_question(decoded(_content(str(path))[0]))
        except (OSError, ValueError, RecursionError) as error:
            reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
            unread.append(Unreadable(_printable(str(path.relative_to(profile.root))), reason))
        else:
            questions[Path(answer).name] = question
    return questions, unread
