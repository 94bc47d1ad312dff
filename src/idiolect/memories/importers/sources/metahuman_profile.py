"""MetaHuman OS: a checkout, a profile of it, or a zip of either, whose events become memories of a home of one's own.

Its memories are read as those of a home that is a checkout are: what a machine wrote is in no memory, and an answered
question of its curiosity has that question before it. An event's path below memory/episodic is its conversation.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from idiolect.config import WhoseWords
from idiolect.memories.asked import read_question, read_session
from idiolect.memories.feedback import is_feedback
from idiolect.memories.importers.export import DAMAGE, Export, Member
from idiolect.memories.importers.message import Asked, Kind, Message, Person, Thread, Unreadable
from idiolect.memories.machine_written import MachineWritten
from idiolect.memories.memory import Memory
from idiolect.memories.metahuman import read_event
from idiolect.memories.persona import names_in
from idiolect.memories.reading import decoded
from idiolect.memories.recorded import Reading

_EVENT = re.compile(r"(?P<profile>(?:.*/)?)memory/episodic/(?P<path>.+\.json)", re.DOTALL)
_EVENTS = r"memory/episodic/.+\.json"
_ENCRYPTED = r"memory/episodic/.+\.enc"
_SESSIONS = r"persona/therapy/session-[^/]*\.json"
_ANSWERED = r"memory/curiosity/questions/answered/[^/]*\.json"
#: So many events are looked at to see what a folder is.
_LOOKED_AT = 50
#: Without one of these in it, a file has nothing to say about another memory.
_ABOUT_OTHERS = (b'"reinforcementSignal"', b'"isCuriosityQuestion"')
_OTHER = Person("other", "", me=False)
_RULES = WhoseWords()
_MACHINE_WRITTEN = MachineWritten(_RULES.machine_written)


@dataclass
class _Profile:
    """One person of an export, and what of their memories is about others of them."""

    me: Person
    reading: Reading
    answered: dict[str, str] = field(default_factory=dict)
    """File name of an event → the question that it answers."""
    questions: dict[str, str] = field(default_factory=dict)
    """Id → question, of those that were saved as events."""
    rejected: set[str] = field(default_factory=set)


def found(export: Export) -> bool:
    return any(_is_event(export.head(member)) for member in export.matching(_EVENTS)[:_LOOKED_AT])


def read(export: Export, asked: Asked) -> Iterator[Message | Unreadable]:
    """Yield what was said in each event, in the order of its paths.

    Of an export with several profiles nobody is the person, unless they are named.
    """
    profiles = _profiles(export, asked)
    for member in export.matching(_EVENTS):
        place, path = _place(member)
        yield from _messages(export, member, path, profiles[place])
    for member in export.matching(_SESSIONS):
        place = member.name.rpartition("persona/therapy/")[0]
        if place in profiles:
            yield from _session(export, member, member.name[len(place) :], profiles[place])
    yield from (Unreadable(member.name, "encrypted") for member in export.matching(_ENCRYPTED))


def _is_event(head: bytes) -> bool:
    return b'"timestamp"' in head and any(key in head for key in (b'"content"', b'"messages"', b'"observation"'))


def _place(member: Member) -> tuple[str, str]:
    """Return where the profile of an event lies, and the event's path below its memory/episodic."""
    parts = _EVENT.fullmatch(member.name)
    return (parts["profile"], parts["path"]) if parts else ("", member.name)


def _profiles(export: Export, asked: Asked) -> dict[str, _Profile]:
    events = export.matching(_EVENTS)
    places = sorted({_place(member)[0] for member in events})
    profiles = {place: _profile(export, place, asked, alone=len(places) == 1) for place in places}
    for member in export.matching(_ANSWERED):
        place = member.name.rpartition("memory/curiosity/")[0]
        if place in profiles:
            for question in _whole(export, member, b""):
                try:
                    answer, text = read_question(question)
                except ValueError:
                    continue  # not answered: it says nothing about any event
                profiles[place].answered[answer.rpartition("/")[2]] = text
    for member in events:
        about = profiles[_place(member)[0]]
        for event in _whole(export, member, *_ABOUT_OTHERS):
            try:
                memory = read_event(event, member.name, about.reading)
            except ValueError:
                continue  # named when it is read for its own sake
            if memory.rejects:
                about.rejected.add(memory.rejects)
            if memory.asks:
                about.questions[memory.asks] = memory.turns[0].text
    return profiles


def _profile(export: Export, place: str, asked: Asked, *, alone: bool) -> _Profile:
    core = export.members.get(f"{place}persona/core.json")
    names = list(names_in(_bytes(export, core))) if core else []
    folder = place.rstrip("/").rpartition("/")[2] or export.path.stem
    called = {name.strip().casefold() for name in (folder, *names, *asked.me) if name}
    me = Person(folder, names[0] if names else folder, me=True if alone else None, also=tuple(names[1:]))
    return _Profile(me, Reading(_RULES, frozenset(called)))


def _messages(export: Export, member: Member, path: str, profile: _Profile) -> Iterator[Message | Unreadable]:
    try:
        event = decoded(export.whole(member))
    except (ValueError, RecursionError, *DAMAGE) as fault:
        yield Unreadable(member.name, str(fault))
        return
    several = isinstance(event, list)
    for number, one in enumerate(event if several else [event], start=1):
        if several and one is None:
            continue
        name = f"{path}#{number}" if several else path
        try:
            memory = read_event(one, name, profile.reading, profile.answered.get(path.rpartition("/")[2]))
        except (ValueError, RecursionError) as fault:
            yield Unreadable(f"{member.name}#{number}" if several else member.name, str(fault))
        else:
            yield from _said(memory, profile)


def _session(export: Export, member: Member, path: str, profile: _Profile) -> Iterator[Message | Unreadable]:
    try:
        memory = read_session(decoded(export.whole(member)), path)
    except (ValueError, RecursionError, *DAMAGE) as fault:
        yield Unreadable(member.name, str(fault))
    else:
        yield from _said(memory, profile)


def _said(memory: Memory, profile: _Profile) -> Iterator[Message]:
    """Yield a message a turn."""
    # A chat may hold long replies here, which elsewhere would be taken for pasted.
    kind = "conversation" if memory.type.lower() == "chat" else memory.type
    mode = memory.mode if memory.mode in ("dual", "emulation", "agent") else ""
    thread = Thread(memory.source, "", kind, tags=memory.tags, mode=mode or "")
    when = memory.timestamp.timestamp() if memory.timestamp else None
    fate = _kind(memory, profile)
    turns = [(turn.speaker, turn.text) for turn in memory.turns]
    if memory.answers in profile.questions:
        turns.insert(0, ("other", profile.questions[memory.answers]))
    # Counted by speaker, so that an answer is the same one when its question comes to light only later.
    count: Counter[str] = Counter()
    for speaker, text in turns:
        count[speaker] += 1
        who = profile.me if speaker == "person" else _OTHER
        yield Message(thread, f"{speaker}-{count[speaker]}", when, who, text, fate)


def _kind(memory: Memory, profile: _Profile) -> Kind:
    if is_feedback(memory):
        return "opinion"
    if memory.event_id and memory.event_id in profile.rejected:
        return "disapproved"
    return "machine" if _MACHINE_WRITTEN.rule(memory) else "said"


def _whole(export: Export, member: Member, *needed: bytes) -> Iterator[Any]:
    """Yield the record or records of a file in which one of `needed` stands; of one that cannot be read, none."""
    content = _bytes(export, member)
    if not any(sign in content for sign in needed):
        return
    try:
        record = decoded(content)
    except (ValueError, RecursionError):
        return
    yield from record if isinstance(record, list) else [record]


def _bytes(export: Export, member: Member) -> bytes:
    try:
        return export.whole(member)
    except (ValueError, *DAMAGE):
        return b""
