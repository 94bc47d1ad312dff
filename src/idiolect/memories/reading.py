"""All memories of a person, from the files of their profile, one at a time.

    memory/episodic/**/*.json               events
    persona/therapy/session-*.json          therapy sessions
    memory/curiosity/questions/answered/    what an event was the answer to

A file of a list of events holds as many memories, called `<file>#1` and so on. A file that cannot be read is reported,
never fatal, and never takes another with it.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from idiolect.config import WhoseWords, curation_rules
from idiolect.home import Profile
from idiolect.memories.asked import read_question, read_session
from idiolect.memories.memory import Memory
from idiolect.memories.metahuman import read_event
from idiolect.memories.persona import persona_names
from idiolect.memories.recorded import Reading

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
    """A file that holds a memory, or the event of that `number` (from 1) in a file that holds a list of them.

    `source` is its name in ledgers, `question` what it answers, if known.
    """

    path: str
    source: str
    read: Callable[[Any, str, str | None], Memory]
    question: str | None = None
    number: int = 0


def reading_of(profile: Profile, rules: WhoseWords | None = None) -> Reading:
    """Return how a person's events are read: by the rules in their curation.json, unless others are said."""
    rules = rules or curation_rules(profile.curation_json)
    names = {profile.person, *persona_names(profile.persona), *rules.my_names}
    return Reading(rules, frozenset(name.strip().casefold() for name in names))


def memory_files(profile: Profile, rules: WhoseWords | None = None) -> Iterator[MemoryFile | Unreadable]:
    """List a person's memory files, in the order of their paths. Raises OptionFault for a faulty curation.json."""
    questions, unread_questions = _answered_questions(profile)
    read = partial(_read_event, reading_of(profile, rules))
    top = len(str(profile.memories)) + 1
    for path, fault in _walk(profile.memories):
        if fault:
            yield Unreadable(_printable(path[top:] or path), fault)
        else:
            asked = questions.get(path.rpartition("/")[2]) if questions else None
            yield MemoryFile(path, _printable(path[top:]), read, asked)
    for session in sorted(profile.therapy.glob("session-*.json")):
        yield MemoryFile(str(session), _printable(str(session.relative_to(profile.root))), _read_session)
    yield from unread_questions


def stamp(file: MemoryFile) -> Stamp | None:
    """Return what tells a changed file from the one that was read; None for one that cannot be looked at."""
    try:
        return _stamp(os.stat(file.path), file)  # noqa: PTH116 - as below
    except OSError:
        return None


def read_memory(file: MemoryFile) -> Memory | Unreadable:
    """Read one memory: that of a file, or, of a list of events, the one that `parts` has numbered."""
    found = read_stamped(file)[0]
    return found[0] if len(found) == 1 else Unreadable(file.source, f"holds {len(found)} memories")


def read_stamped(file: MemoryFile) -> tuple[list[Memory | Unreadable], Stamp | None]:
    """Read the memories of one file, and what will tell it from a changed one; None if it cannot be read."""
    try:
        content, state = _content(file.path)
        event = decoded(content)
    except OSError as error:
        return [Unreadable(file.source, error.strerror or "cannot be opened")], None
    except (ValueError, RecursionError) as error:
        return [Unreadable(file.source, str(error))], None
    if isinstance(event, list):
        found = _of_a_list(file, event)
        readable = all(isinstance(memory, Memory) for memory in found)
        return found, _stamp(state, file) if readable else None
    memory = _read(file, file.source, event)
    return [memory], _stamp(state, file) if isinstance(memory, Memory) else None


def read_memories(profile: Profile) -> Iterator[Memory | Unreadable]:
    """Read all memories of a person."""
    for file in memory_files(profile):
        yield from read_stamped(file)[0] if isinstance(file, MemoryFile) else [file]


def parts(file: MemoryFile) -> list[MemoryFile]:
    """Return a memory file for each memory in a file: itself, or each event of a list."""
    try:
        with open(file.path, "rb", opener=lambda path, _: os.open(path, _HOW)) as opened:
            if opened.read(64).lstrip()[:1] != b"[":
                return [file]
        events = decoded(_content(file.path)[0])
    except (OSError, ValueError, RecursionError):
        return [file]
    return [
        msgspec.structs.replace(file, source=f"{file.source}#{number}", number=number)
        for number, event in enumerate(events, start=1)
        if event is not None
    ]


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


def _of_a_list(file: MemoryFile, events: list[Any]) -> list[Memory | Unreadable]:
    if file.number:
        there = 0 < file.number <= len(events)
        return [_read(file, file.source, events[file.number - 1]) if there else Unreadable(file.source, "is gone")]
    found = [_read(file, f"{file.source}#{n}", one) for n, one in enumerate(events, start=1) if one is not None]
    return found or [Unreadable(file.source, "no event in it")]


def _read(file: MemoryFile, source: str, event: Any) -> Memory | Unreadable:
    try:
        return file.read(event, source, file.question)
    except (ValueError, RecursionError) as error:
        return Unreadable(source, str(error))


def _read_event(reading: Reading, event: Any, source: str, question: str | None) -> Memory:
    return read_event(event, source, reading, question)


def _read_session(session: Any, source: str, _: str | None) -> Memory:
    return read_session(session, source)


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
