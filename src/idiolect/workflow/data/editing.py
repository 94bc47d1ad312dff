"""Editing a data set by hand: what the person decides about single memories, for every data set from now on."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec

from idiolect.config import Mode, Options, curation_rules, resolve
from idiolect.curation import (
    OVERRULED,
    ByHand,
    Edit,
    Preparation,
    Sample,
    by_memory,
    invented_prompt,
    numbered_turns,
    prepare,
    read_edits,
    sample_id,
    stands,
    with_edit,
)
from idiolect.errors import DataFault, UserFault
from idiolect.files import remove, write_jsonl
from idiolect.home import Home, Profile
from idiolect.memories import Memory, MemoryFile, Unreadable, memory_files, parts, read_memory
from idiolect.workflow.archive.runs import known
from idiolect.workflow.records.audit import audit
from idiolect.workflow.records.lock import only_editor


@dataclass(frozen=True)
class EditableTurn:
    """A turn of a memory: by its number who speaks, what the file says, and what is to stand there if edited."""

    number: int
    speaker: str
    text: str
    edited: str | None


@dataclass(frozen=True)
class Opened:
    """One memory, opened to be edited: its turns, what a data set would make of it, and what was decided."""

    source: str
    type: str
    turns: Sequence[EditableTurn]
    sample: Sample | None
    rule: str
    """By which it is dropped, if it is by itself: whatever other memories say."""
    edits: Sequence[Edit]


@dataclass(frozen=True)
class Listed:
    """An edit, and why it is not applied, if it is not."""

    edit: Edit
    problem: str


def drop(home: Home, person: str, memory: str) -> Edit:
    """Leave a memory out of every data set from now on."""
    return _decide(home, person, memory, lambda found: _new(found, "drop"))


def restore(home: Home, person: str, memory: str) -> Edit | None:
    """Take back that a memory was dropped by hand, or else keep it whatever rule judges it.

    Returns the edit that keeps it, None if one was taken back.
    """
    profile = known(home, person)
    source = find_memory(profile, memory).source
    with only_editor(profile):
        edits = read_edits(profile.edits)
        left = [e for e in edits if not (e.memory == source and e.do == "drop")]
        if len(left) < len(edits):
            _write(profile, left, "edit_undone")
            return None
    return _decide(home, person, source, lambda found: _new(found, "keep"))


def set_mode(home: Home, person: str, memory: str, mode: Mode) -> Edit:
    """State the cognitive mode of a memory."""
    return _decide(home, person, memory, lambda found: _new(found, "mode", mode=mode))


def set_text(home: Home, person: str, memory: str, turn: int, text: str) -> Edit:
    """Put a text into a turn, counted from 1; an empty one leaves out the question and its answer."""

    def edit(found: MemoryFile) -> Edit:
        turns = numbered_turns(_read(found))
        if not 1 <= turn <= len(turns):
            raise UserFault(f"{found.source} has no turn {turn}.", f"It has {len(turns)}, counted from 1.")
        return _new(found, "text", turn=turn, was=turns[turn - 1].text, text=text.strip())

    return _decide(home, person, memory, edit)


def mask_piece(home: Home, person: str, memory: str, piece: str) -> Edit:
    """Put [masked] wherever a piece of text stands in what is made of a memory."""
    piece = piece.strip()
    if not piece:
        raise UserFault("Nothing is named that could be masked.", "Say a piece of the text.")
    opened = open_memory(home, person, memory)
    said = [m.content for m in opened.sample.messages] if opened.sample else [t.text for t in opened.turns]
    if not any(piece in text for text in said):
        raise UserFault(f"{piece!r} does not stand in {opened.source}.", "It has to stand there letter by letter.")
    return _decide(home, person, opened.source, lambda found: _new(found, "mask", text=piece))


def undo(home: Home, person: str, edit_id: str) -> Edit:
    """Take an edit back. Raises UserFault where there is none of that name."""
    profile = known(home, person)
    with only_editor(profile):
        edits = read_edits(profile.edits)
        undone = next((e for e in edits if e.id == edit_id), None)
        if not undone:
            raise UserFault(f"{person} has no edit {edit_id}.", f"See them: idiolect dataset edits --username {person}")
        _write(profile, [e for e in edits if e.id != edit_id], "edit_undone")
    return undone


def listed(home: Home, person: str) -> list[Listed]:
    """Return all edits, oldest first, each with why it is not applied, if it is not."""
    profile = known(home, person)
    edits = read_edits(profile.edits)
    wanted = {e.memory for e in edits}
    named = [f for f in _files(profile) if edits for f in _parts_named(f, wanted)]
    memories = {f.source: read_memory(f) for f in named if f.source in wanted}
    how = preparation(home, profile)
    texts = by_memory([e for e in edits if e.do == "text"])
    return [Listed(e, _problem(e, memories.get(e.memory), how, texts.get(e.memory, ByHand()))) for e in edits]


def open_memory(home: Home, person: str, memory: str) -> Opened:
    """Open a memory to be edited. Raises UserFault where there is none of that name, DataFault if it is unreadable."""
    profile = known(home, person)
    found = find_memory(profile, memory)
    read, how = _read(found), preparation(home, profile)
    edits = [e for e in read_edits(profile.edits) if e.memory == found.source]
    texts = {e.turn: e.text for e in edits if e.do == "text" and stands(e, read)}
    invented = invented_prompt(read.type, read.source, how.seed)
    made = prepare(read, how, *by_memory(edits).values())
    turns = [
        EditableTurn(number, turn.speaker, turn.text, texts.get(number))
        for number, turn in enumerate(numbered_turns(read, invented), start=1)
    ]
    return Opened(found.source, read.type, turns, made.sample, made.fate.rule, edits)


def find_memory(profile: Profile, name: str) -> MemoryFile:
    """Find a memory by its name in ledgers, its sample's id, or its own id. Raises UserFault for none or several."""
    files = list(_files(profile))
    found = [f for f in files if name in (f.source, sample_id(f.source))]
    if not found:
        files = [part for f in files for part in parts(f)]
        found = [f for f in files if name in (f.source, sample_id(f.source))]
    if not found and name.startswith("evt-"):
        found = [f for f in files if isinstance(m := read_memory(f), Memory) and m.event_id == name]
    if not found:
        raise UserFault(
            f"{profile.person} has no memory {name!r}.",
            "A memory is named by its path below memory/episodic, by its id, or by the id of its sample.",
        )
    if len(found) > 1:
        raise UserFault(
            f"{len(found)} memories call themselves {name}.", f"Name its file: {', '.join(f.source for f in found)}."
        )
    return found[0]


def forget_edits(profile: Profile, memories: Collection[str]) -> None:
    """Remove the edits of memories that are to be forgotten: they hold their words."""
    with only_editor(profile):
        edits = read_edits(profile.edits)
        left = [e for e in edits if e.memory not in memories]
        if len(left) < len(edits):
            _write(profile, left, "edits_forgotten")


def can_be_restored(rule: str) -> bool:
    """Say whether a person can overrule the rule by which a memory was dropped."""
    return rule in OVERRULED or rule == "dropped by hand"


def preparation(home: Home, profile: Profile) -> Preparation:
    """Return the rules by which a person's memories are prepared."""
    return Preparation(curation_rules(profile.curation_json), _seed(home, profile))


def _seed(home: Home, profile: Profile) -> int:
    options: Options = resolve(home, profile.person, {}, {}).options
    return options.seed


def _decide(home: Home, person: str, memory: str, edit: Callable[[MemoryFile], Edit]) -> Edit:
    profile = known(home, person)
    new = edit(find_memory(profile, memory))
    with only_editor(profile):
        _write(profile, with_edit(read_edits(profile.edits), new), "dataset_edited", new.do)
    return new


def _new(found: MemoryFile, do: str, **what: object) -> Edit:
    stated = {"id": secrets.token_hex(3), "at": datetime.now(UTC), "memory": found.source, "do": do, **what}
    return msgspec.convert(stated, Edit)


def _write(profile: Profile, edits: Sequence[Edit], event: str, what: str = "") -> None:
    if edits:
        write_jsonl(profile.edits, edits)
    else:
        remove(profile.edits)
    audit(profile, event, {"edits": len(edits), **({"what": what} if what else {})}, category="data")


def _files(profile: Profile) -> list[MemoryFile]:
    return [f for f in memory_files(profile) if isinstance(f, MemoryFile)]


def _parts_named(file: MemoryFile, wanted: Collection[str]) -> list[MemoryFile]:
    """Return a file, or, where a memory in a list of events is wanted, each of the list."""
    return parts(file) if any(name.startswith(f"{file.source}#") for name in wanted) else [file]


def _read(found: MemoryFile) -> Memory:
    memory = read_memory(found)
    if isinstance(memory, Unreadable):
        raise DataFault(f"{found.path} cannot be read: {memory.reason}", "Mend the file.")
    return memory


def _problem(edit: Edit, memory: Memory | Unreadable | None, how: Preparation, texts: ByHand) -> str:
    """Say why an edit is not applied, or nothing."""
    if memory is None:
        return "its memory is gone"
    if isinstance(memory, Unreadable):
        return f"its memory cannot be read: {memory.reason}"
    if edit.do == "text" and not stands(edit, memory):
        return "its memory has changed since"
    if edit.do == "mask":
        made = prepare(memory, how, texts).sample
        if made and not any(edit.text in m.content for m in made.messages):
            return "does not stand in it any more"
    return ""
