"""All memories of a person, from the files of their profile, one at a time.

    memory/episodic/**/*.json               events
    persona/therapy/session-*.json          therapy sessions
    memory/curiosity/questions/answered/    what an event was the answer to

A file that cannot be read is reported, never fatal, and never takes another with it.
"""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from idiolect.home import Profile
from idiolect.memories.asked import read_question, read_session
from idiolect.memories.memory import Memory, Turn
from idiolect.memories.metahuman import read_event

#: A larger file holds no memory that could be trained on, but would fill this computer's.
LARGEST_BYTES = 16_000_000


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A memory file that could not be read, and why."""

    source: str
    reason: str


@dataclass(frozen=True, slots=True)
class MemoryFile:
    """A file that holds a memory; `source` is its name in ledgers, `question` what it answers, if known."""

    path: str
    source: str
    read: Callable[[Any, str], Memory]
    question: str | None = None


def memory_files(profile: Profile) -> Iterator[MemoryFile | Unreadable]:
    """List a person's memory files, in the order of their paths."""
    questions = _answered_questions(profile)
    for path, fault in _walk(profile.memories):
        source = path[len(str(profile.memories)) + 1 :]
        if fault:
            yield Unreadable(source, fault)
        else:
            yield MemoryFile(path, source, read_event, questions.get(path.rpartition("/")[2]))
    for session in sorted(profile.therapy.glob("session-*.json")):
        yield MemoryFile(str(session), str(session.relative_to(profile.root)), read_session)


def read_memory(file: MemoryFile) -> Memory | Unreadable:
    """Read one memory file."""
    try:
        memory = file.read(decoded(file.path), file.source)
    except OSError as error:
        return Unreadable(file.source, error.strerror or "cannot be opened")
    except (ValueError, RecursionError) as error:
        return Unreadable(file.source, str(error))
    if file.question and memory.turns[0].speaker == "person":
        return dataclasses.replace(memory, turns=(Turn("other", file.question), *memory.turns))
    return memory


def read_memories(profile: Profile) -> Iterator[Memory | Unreadable]:
    """Read all memories of a person."""
    return (read_memory(f) if isinstance(f, MemoryFile) else f for f in memory_files(profile))


def decoded(path: str) -> Any:
    """Decode a JSON file. Raises OSError, and ValueError with the reason for one that holds no JSON."""
    with open(path, "rb") as file:  # noqa: PTH123 - a hundred thousand times, and Path.open costs twice as much
        if os.fstat(file.fileno()).st_size > LARGEST_BYTES:
            raise ValueError(f"larger than {LARGEST_BYTES // 1_000_000} MB")
        content = file.read()
    if not content:
        raise ValueError("the file is empty")
    try:
        return msgspec.json.decode(content)
    except msgspec.DecodeError as fault:
        # Lone surrogates, and a byte order mark: no reason to lose a memory.
        try:
            return json.loads(content.decode("utf-8-sig"))
        except ValueError:
            raise ValueError(str(fault)) from None


def _walk(folder: Path) -> Iterator[tuple[str, str | None]]:
    """Yield the path of each memory file below a folder, and of what cannot be entered or read, the reason."""
    faults: list[OSError] = []
    for parent, folders, files in os.walk(folder, onerror=faults.append):
        folders.sort()
        for name in sorted(files):
            if name.endswith(".json"):
                yield os.path.join(parent, name), None  # noqa: PTH118 - as above
            elif name.endswith(".enc"):
                yield os.path.join(parent, name), "encrypted"  # noqa: PTH118
    for fault in faults:
        if fault.filename != str(folder):
            yield str(fault.filename), fault.strerror or "cannot be entered"


def _answered_questions(profile: Profile) -> Mapping[str, str]:
    """Map the file name of an answer to its question; a question that cannot be read asked nothing."""
    questions = {}
    for path in sorted(profile.answered_questions.glob("*.json")):
        try:
            answer, question = read_question(decoded(str(path)))
        except (OSError, ValueError, RecursionError):
            continue
        questions[Path(answer).name] = question
    return questions
