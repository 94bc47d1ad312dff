from __future__ import annotations

import os

import msgspec
import pytest

from idiolect.config import CurationRules, Options
from idiolect.curation import Sample, pool, prepare_all
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


def test_several_processes_prepare_what_one_does(profile: Profile, monkeypatch: pytest.MonkeyPatch) -> None:
    alone = prepare_all(profile, Options(), RULES)
    profile.prepared.unlink()
    monkeypatch.setattr(pool, "FEW", 0)
    monkeypatch.setattr(pool, "CHUNK", 7)
    assert prepare_all(profile, Options(), RULES) == alone
    assert [d.fate.memory for d in alone] == [*(f"{n:02}.json" for n in range(30)), "broken.json"]


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


@pytest.mark.parametrize("change", ["rules", "seed", "damage"])
def test_other_rules_forget_everything(profile: Profile, change: str) -> None:
    prepare_all(profile, Options(), RULES)
    file = profile.memories / "03.json"
    times = file.stat().st_mtime_ns
    file.write_text(file.read_text().replace("Rain", "Snow"))
    os.utime(file, ns=(times, times))
    if change == "damage":
        profile.prepared.write_bytes(b"\x93")
    options = Options(seed=7) if change == "seed" else Options()
    rules = CurationRules(blocked_words=("fog",)) if change == "rules" else RULES
    again = {d.fate.memory: d for d in prepare_all(profile, options, rules)}
    assert sample_of(again["03.json"]).own_words == "Snow on day 3."


def test_the_classic_builder_takes_pairs_as_they_are(profile: Profile) -> None:
    write_json(profile.memories / "pair.json", {"content": "Hi?", "response": "Sure!  Basically, hello."})
    prepared = {d.fate.memory: d for d in prepare_all(profile, Options(dataset_builder="classic"), RULES)}
    assert prepared["00.json"].fate.rule == "no reply in it"
    assert [m.content for m in sample_of(prepared["pair.json"]).messages] == ["Hi?", "Sure!  Basically, hello."]
