from __future__ import annotations

import os

import msgspec
import pytest

from idiolect.config import CurationRules, Options
from idiolect.curation import Sample, pool, prepare_all, settle
from idiolect.curation.sample import Draft
from idiolect.files import write_json
from idiolect.home import Home, Profile

RULES = CurationRules()


def sample_of(draft: Draft) -> Sample:
    return msgspec.json.decode(draft.sample, type=Sample)


@pytest.fixture
def profile(home: Home) -> Profile:
    profile = home.profile("ada")
    for n in range(30):
        write_json(profile.memories / f"{n:02}.json", {"content": f"Rain on day {n}.", "type": "journal"})
    (profile.memories / "broken.json").write_text("{")
    return profile


def settled(profile: Profile) -> bytes:
    """Return all that curation decides."""
    done = settle(prepare_all(profile, Options(), RULES), Options(), RULES)
    return msgspec.json.encode([done.fates, [d.sample for d in done.chosen]])


def test_several_processes_prepare_what_one_does(profile: Profile, monkeypatch: pytest.MonkeyPatch) -> None:
    alone = prepare_all(profile, Options(), RULES)
    profile.prepared.unlink()
    monkeypatch.setattr(pool, "FEW", 0)
    monkeypatch.setattr(pool, "CHUNK", 7)
    monkeypatch.setattr(os, "cpu_count", lambda: 3)
    assert prepare_all(profile, Options(), RULES) == alone
    assert [d.fate.memory for d in alone] == [*(f"{n:02}.json" for n in range(30)), "broken.json"]


def test_whatever_is_remembered_the_same_comes_of_it(profile: Profile) -> None:
    fresh = settled(profile)
    assert settled(profile) == fresh
    write_json(profile.memories / "05.json", {"content": "Rain on day 5, and then the sun came out at last."})
    write_json(profile.memories / "04/again.json", {"content": "Rain on day 5, and then the sun came out at length."})
    write_json(profile.memories / "99.json", {"content": "Rain on day 3.", "type": "journal"})
    (profile.memories / "07.json").unlink()
    changed = settled(profile)
    assert changed != fresh
    profile.prepared.unlink()
    assert settled(profile) == changed


def test_what_could_not_be_read_is_tried_again(profile: Profile) -> None:
    """A file that is opened up by its owner keeps its time of change and size."""
    file = profile.memories / "03.json"
    state = file.stat()
    file.write_text("{" * state.st_size)
    os.utime(file, ns=(state.st_mtime_ns, state.st_mtime_ns))
    assert {d.fate.memory: d.fate.rule for d in prepare_all(profile, Options(), RULES)}["03.json"] == "unreadable"
    file.write_text('{"content":"' + "y" * (state.st_size - 14) + '"}')
    os.utime(file, ns=(state.st_mtime_ns, state.st_mtime_ns))
    assert file.stat().st_size == state.st_size
    assert {d.fate.memory: d.fate.rule for d in prepare_all(profile, Options(), RULES)}["03.json"] == ""


def test_what_was_read_is_remembered_and_what_changed_is_read_again(profile: Profile) -> None:
    before = prepare_all(profile, Options(), RULES)
    times = (profile.memories / "03.json").stat().st_mtime_ns
    # The same size and time: only memory can tell what stood there.
    (profile.memories / "03.json").write_text((profile.memories / "03.json").read_text().replace("Rain", "Snow"))
    os.utime(profile.memories / "03.json", ns=(times, times))
    (profile.memories / "04.json").unlink()
    write_json(profile.memories / "05.json", {"content": "Hail on day 5, then sun."})
    write_json(profile.memories / "99.json", {"content": "New."})
    texts = {d.fate.memory: sample_of(d).own_words for d in prepare_all(profile, Options(), RULES) if d.sample}
    assert texts["03.json"] == "Rain on day 3."
    assert "04.json" not in texts
    assert texts["05.json"] == "Hail on day 5, then sun."
    assert texts["99.json"] == "New."
    assert len(texts) == len(before) - 1


@pytest.mark.parametrize("change", ["rules", "seed", "damage", "cut off"])
def test_other_rules_forget_everything(profile: Profile, change: str) -> None:
    prepare_all(profile, Options(), RULES)
    file = profile.memories / "03.json"
    times = file.stat().st_mtime_ns
    file.write_text(file.read_text().replace("Rain", "Snow"))
    os.utime(file, ns=(times, times))
    if change == "damage":
        profile.prepared.write_bytes(b"\x93")
    if change == "cut off":
        profile.prepared.write_bytes(profile.prepared.read_bytes()[:-10])
    options = Options(seed=7) if change == "seed" else Options()
    rules = CurationRules(blocked_words=("fog",)) if change == "rules" else RULES
    again = {d.fate.memory: d for d in prepare_all(profile, options, rules)}
    assert sample_of(again["03.json"]).own_words == "Snow on day 3."


def test_the_classic_builder_takes_pairs_as_they_are(profile: Profile) -> None:
    write_json(profile.memories / "pair.json", {"content": "Hi?", "response": "Sure!  Basically, hello."})
    prepared = {d.fate.memory: d for d in prepare_all(profile, Options(dataset_builder="classic"), RULES)}
    assert prepared["00.json"].fate.rule == "no reply in it"
    assert [m.content for m in sample_of(prepared["pair.json"]).messages] == ["Hi?", "Sure!  Basically, hello."]


def test_a_file_of_several_events_holds_as_many_memories(profile: Profile) -> None:
    day = [{"content": "Frost on the boat."}, {"content": 5}, None, {"content": "Hi?", "response": "Hello, frost."}]
    write_json(profile.memories / "day.json", day)
    fates = {d.fate.memory: d.fate.rule for d in prepare_all(profile, Options(), RULES)}
    assert {name: rule for name, rule in fates.items() if "day" in name} == {
        "day.json#1": "",
        "day.json#2": "unreadable",
        "day.json#4": "",
    }
    write_json(profile.memories / "day.json", [day[0], day[3]])
    fresh = settled(profile)
    assert settled(profile) == fresh
    assert b"day.json#2" in fresh
    assert b"day.json#4" not in fresh
    write_json(profile.memories / "none.json", [None])
    assert {d.fate.memory: d.fate.detail for d in prepare_all(profile, Options(), RULES)}[
        "none.json"
    ] == "no event in it"


def test_another_name_of_the_persons_makes_other_words_theirs(profile: Profile) -> None:
    chat = {"content": "--- Conversation ---\n[09:00 AM] Bo: Hei?\n[09:01 AM] Marit: Hei, Bo.", "type": "observation"}
    write_json(profile.memories / "chat.json", {**chat, "metadata": {"provenance": "chat-export"}})

    def rule(rules: CurationRules = RULES) -> str:
        return {d.fate.memory: d.fate.rule for d in prepare_all(profile, Options(), rules)}["chat.json"]

    assert rule() == "the person says nothing in it"
    assert rule(CurationRules(my_names=("marit",))) == ""
    write_json(profile.persona, {"identity": {"name": "A. Solvang", "humanName": "Marit Solvang", "aliases": [None]}})
    assert rule() == ""
