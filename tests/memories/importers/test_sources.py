"""What each source makes of a small export with its traps, against files that can be read.

    golden/<source>/       an export, as the program in question writes it, made up
    golden/<source>.txt    its messages: a line each, below a line for their conversation; * is the person

`python -m tests.memories.importers.test_sources` writes these anew, to be looked through.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec
import pytest

from idiolect.home import Home
from idiolect.memories import Memory, read_memories
from idiolect.memories.importers import SOURCES, Asked, Export, Message, Remark, UnknownSelf, Unreadable, bring_in
from idiolect.memories.importers.identity import Selves
from idiolect.memories.importers.times import iso

GOLDEN = Path(__file__).parent / "golden"
ME = ("Ada Lunde", "ada@example.org")


def rendered(source: str) -> str:
    with Export(GOLDEN / source) as export:
        assert SOURCES[source].found(export)
        return "".join(f"{line}\n" for line in _lines(SOURCES[source].read(export, Asked(me=ME))))


def _lines(messages: Iterator[Message | Unreadable | Remark]) -> Iterator[str]:
    mine = Selves(ME)
    thread = None
    for message in messages:
        if isinstance(message, Unreadable):
            yield f"!! {message.where}: {message.reason}"
            continue
        if isinstance(message, Remark):
            yield f"?? {message.id}: {message.rule}: {message.example!r}"
            continue
        if message.thread is not thread:
            thread = message.thread
            marks = [
                thread.type,
                *(["group"] if thread.group else []),
                *(["alone"] if thread.alone else []),
                *thread.tags,
            ]
            yield f"== {thread.key} “{thread.title}” {', '.join(marks)}"
        when = "no date" if message.when is None else iso(message.when)
        name = message.who.name or message.who.id
        who = f"{name}*" if mine(message.who) else name
        reply = f" -> {message.reply_to}" if message.reply_to else ""
        kind = "" if message.kind == "said" else f"[{message.kind}] "
        yield f"{when}  {message.id}{reply}  {who}: {kind}{message.text!r}"


@pytest.mark.parametrize("source", SOURCES)
def test_an_export_with_its_traps(source: str) -> None:
    assert rendered(source) == (GOLDEN / f"{source}.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("source", SOURCES)
def test_it_is_told_from_all_others(source: str) -> None:
    with Export(GOLDEN / source) as export:
        assert [name for name, other in SOURCES.items() if other.found(export)] == [source]


def written(path: Path, event: Mapping[str, object]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(msgspec.json.encode({"timestamp": "2025-10-01T08:00:00Z", "type": "journal", **event}))


def test_of_a_metahuman_os_with_several_people_one_is_named(home: Home, tmp_path: Path) -> None:
    checkout, profile = tmp_path / "metahuman-os", home.profile("ada")
    for person in ("greggles", "marit"):
        written(checkout / f"profiles/{person}/memory/episodic/2025/10/01/a.json", {"content": f"I am {person}."})
    with Export(checkout) as export:
        with pytest.raises(UnknownSelf, match="greggles"):
            bring_in("metahuman", export, profile, Asked(), pause=1)
        done = bring_in("metahuman", export, profile, Asked(me=("marit",)), pause=1)
    (memory,) = [m for m in read_memories(profile) if isinstance(m, Memory)]
    assert [turn.text for turn in memory.turns] == ["I am marit."]
    assert (done.own, done.rules) == (1, {"the person does not answer it": 1})


def test_what_metahuman_os_says_of_a_memory_comes_along(home: Home, tmp_path: Path) -> None:
    """A profile's own folder; what it is read as there is what it is read as here."""
    event = {
        "content": "I am slow.",
        "type": "reflection",
        "tags": ["idle-thought"],
        "metadata": {"cognitiveMode": "agent"},
    }
    written(tmp_path / "ada/memory/episodic/reflections/2025/10/01/a.json", event)
    written(tmp_path / "ada/memory/episodic/2025/10/01/b.json", {"content": "Summed up.", "type": "summary"})
    lines = "--- Conversation ---\n[09:00 AM] Bo: Hei?\n[09:01 AM] Ada: Hei."
    chat = {"content": lines, "type": "observation", "metadata": {"provenance": "chat-export"}}
    written(tmp_path / "ada/memory/episodic/2025/10/01/c.json", chat)
    with Export(tmp_path / "ada") as export:
        assert SOURCES["metahuman"].found(export)
        done = bring_in("metahuman", export, home.profile("ada"), Asked(), pause=1)
    found = {m.type: m for m in read_memories(home.profile("ada")) if isinstance(m, Memory)}
    spoken, memory = found["observation"], found["reflection"]
    # The folder is called as she is, and so is a line in a chat.
    assert [turn.text for turn in spoken.turns] == ["Hei?", "Hei."]
    assert (memory.type, memory.mode) == ("reflection", "agent")
    assert "idle-thought" in memory.tags
    assert done.rules == {"written by a machine": 1}


if __name__ == "__main__":
    for name in SOURCES:
        (GOLDEN / f"{name}.txt").write_text(rendered(name), encoding="utf-8")
