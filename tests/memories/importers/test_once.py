"""Every source: once and only once, whatever is imported again, longer, or overlapping."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from idiolect.home import Home, Profile
from idiolect.memories import Memory, read_memories
from idiolect.memories.importers import SOURCES, Asked, Export, Imported, bring_in
from idiolect.memories.importers.conversations import BEFORE, LINK
from idiolect.memories.importers.ledger import lines
from idiolect.memories.importers.survey import UNDATED
from tests.memories.importers.exports import ADA, FORMS, LIFE, Said


@pytest.fixture
def profile(home: Home) -> Profile:
    return home.profile("ada")


def bring(form: str, folder: Path, life: tuple[Said, ...], profile: Profile) -> Imported:
    source, write, asks = FORMS[form]
    with Export(write(folder, life)) as export:
        assert SOURCES[source].found(export)
        return bring_in(source, export, profile, Asked(me=(ADA,) if asks else ()), pause=6 * 3600)


def said(profile: Profile) -> Counter[str]:
    """Count how often each of her sentences stands in a memory as her own words."""
    found: Counter[str] = Counter()
    for memory in read_memories(profile):
        assert isinstance(memory, Memory)
        own = "\n".join(t.text for t in memory.turns if t.speaker == "person")
        assert not any(s.text in own for s in LIFE if not s.mine)
        found.update(line for line in own.split("\n") if line.strip())
    return found


def hashes(folder: Path) -> dict[str, str]:
    return {
        str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in folder.rglob("*")
        if p.is_file() and p.name != "ledger.jsonl"
    }


def once(life: tuple[Said, ...]) -> dict[str, int]:
    return {s.text: 1 for s in life if s.mine}


def reconciles(done: Imported) -> bool:
    return done.own + done.context + sum(done.rules.values()) == done.survey.messages


@pytest.mark.parametrize("form", FORMS)
def test_the_same_export_twice(form: str, profile: Profile, tmp_path: Path) -> None:
    first = bring(form, tmp_path / "a", LIFE, profile)
    assert reconciles(first)
    assert said(profile) == once(LIFE)
    before = hashes(profile.root / "memory")
    second = bring(form, tmp_path / "b", LIFE, profile)
    assert reconciles(second)
    assert second.memories == second.own == 0
    assert set(second.rules) == {"imported before"}
    assert hashes(profile.root / "memory") == before


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    ("first", "second"), [((0, 15), (0, 24)), ((0, 16), (9, 24)), ((9, 24), (0, 16)), ((0, 7), (17, 24))]
)
def test_extended_overlapping_and_separate_exports(
    form: str, first: tuple[int, int], second: tuple[int, int], profile: Profile, tmp_path: Path
) -> None:
    assert reconciles(bring(form, tmp_path / "a", LIFE[slice(*first)], profile))
    before = hashes(profile.root / "memory")
    assert reconciles(bring(form, tmp_path / "b", LIFE[slice(*second)], profile))
    both = tuple(s for s in LIFE if any(a <= s.number < b for a, b in (first, second)))
    assert said(profile) == once(both)
    after = hashes(profile.root / "memory")
    assert {name: after.get(name) for name in before} == before


@pytest.mark.parametrize("form", FORMS)
def test_every_message_has_a_line_in_the_ledger(form: str, profile: Profile, tmp_path: Path) -> None:
    done = bring(form, tmp_path / "a", LIFE, profile)
    ledger = list(lines(done.folder / "ledger.jsonl"))
    named = [n for line in ledger for n in (*line.own, *line.context, *line.left)]
    assert len(named) == done.survey.messages
    assert sum(len(line.own) for line in ledger) == done.own
    assert {line.memory for line in ledger if line.memory} == set(hashes(done.folder))


def killed(profile: Profile, form: str, folder: Path, call: str) -> Iterator[None]:
    """Import in a process that dies when it calls `call` of module os."""
    child = os.fork()
    if not child:
        setattr(os, call, lambda *_: os._exit(9))
        bring(form, folder, LIFE, profile)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
    yield


def test_an_import_that_was_killed_before_its_ledger_was_whole_has_never_been(profile: Profile, tmp_path: Path) -> None:
    for _ in killed(profile, "telegram", tmp_path / "a", "sync"):
        assert not profile.imported("telegram").exists()
    bring("telegram", tmp_path / "b", LIFE[:15], profile)
    assert said(profile) == once(LIFE[:15])


def test_an_import_that_was_killed_while_moving_is_brought_to_its_end(profile: Profile, tmp_path: Path) -> None:
    bring("telegram", tmp_path / "a", LIFE, profile)
    whole = hashes(profile.root / "memory")
    ledger = (profile.imported("telegram") / "ledger.jsonl").read_bytes()
    # As it was when half of the memories had been moved.
    staging = profile.importing("telegram")
    (staging / "memories").mkdir(parents=True)
    shutil.move(profile.imported("telegram") / "ledger.jsonl", staging / "ledger.jsonl")
    for name in sorted(hashes(profile.imported("telegram")))[::2]:
        (staging / "memories" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.move(profile.imported("telegram") / name, staging / "memories" / name)
    done = bring("telegram", tmp_path / "b", LIFE, profile)
    assert done.own == 0
    assert hashes(profile.root / "memory") == whole
    assert (profile.imported("telegram") / "ledger.jsonl").read_bytes() == ledger
    assert not staging.exists()


def test_what_has_no_date_and_what_is_left_out_is_said_with_an_example_and_named_in_the_ledger(
    tmp_path: Path, profile: Profile
) -> None:
    table = tmp_path / "t.jsonl"
    rows = [
        {"who": "Anna", "text": "when?", "id": "1", "time": ""},
        {"who": "Ada", "text": "soon", "id": "2", "time": "2024-03-05T13:00:00Z"},
        {"who": "Ada", "text": "https://example.org/", "id": "3", "time": "2024-03-05T13:00:01Z"},
        {"who": "Ada", "text": "no idea when", "id": "4", "time": "the day before yesterday"},
    ]
    table.write_text("".join(f"{json.dumps(r)}\n" for r in rows), encoding="utf-8")

    def imported() -> Imported:
        with Export(table) as export:
            return bring_in("plain", export, profile, Asked(me=("Ada",)), pause=6 * 3600)

    done = imported()
    assert done.survey.remarks == {UNDATED: 2}
    assert done.survey.examples == {UNDATED: "when?"}
    assert done.examples == {LINK: "https://example.org/"}
    assert reconciles(done)
    ledger = profile.imported("plain") / "ledger.jsonl"
    assert [line.noted for line in lines(ledger) if line.rule == UNDATED] == [("1", "4")]
    before = ledger.read_bytes()
    assert imported().rules == {BEFORE: 4}
    assert ledger.read_bytes() == before
