from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta

from idiolect.config import CurationRules, Options
from idiolect.curation import curate
from idiolect.home import Home
from idiolect.memories import Memory, Unreadable, persona_name, read_memories
from idiolect.memories.sample_person import sample_events, write_sample_person


def test_she_has_a_life_of_fourteen_months() -> None:
    events = sample_events()
    days = [datetime.fromisoformat(e["timestamp"]) for e in events]
    assert len(events) >= 250
    assert days == sorted(set(days))
    assert timedelta(days=400) < days[-1] - days[0] < timedelta(days=440)
    assert {e["type"] for e in events} >= {
        "conversation",
        "chat",
        "observation",
        "journal",
        "reflection",
        "inner_dialogue",
        "dream",
        "action",
        "task",
        "tool_use",
    }
    assert sum("messages" in e for e in events) >= 20


def test_her_home_reads_back_with_its_two_damaged_files(home: Home) -> None:
    profile = write_sample_person(home)
    found = list(read_memories(profile))
    bad = [item for item in found if isinstance(item, Unreadable)]
    assert len(found) - len(bad) == len(sample_events())
    assert len(bad) == 2
    assert persona_name(profile.persona, "marit") == "Marit Solvang"


def test_the_dirt_of_her_life_is_cleaned_away(home: Home) -> None:
    profile = write_sample_person(home)
    done = curate(read_memories(profile), Options(), CurationRules())
    rules = Counter(fate.rule for fate in done.fates if fate.fate == "dropped")
    assert rules == {
        "said before": 3,
        "nearly said before": 6,
        "written by a machine": 3,
        "unreadable": 2,
    }
    assert done.masked == {"[email]": 1, "[phone]": 1, "[key]": 1}
    text = "\n".join(s.own_words for s in done.samples)
    for dirt in ("As an AI", "Sure!", "sk-", "@example", "  \n", "\n\n\n"):
        assert dirt not in text
    assert "```python" in text
    assert "🍳" in text


def test_every_memory_of_hers_has_one_fate(home: Home) -> None:
    profile = write_sample_person(home)
    found = list(read_memories(profile))
    done = curate(found, Options(), CurationRules())
    assert [f.memory for f in done.fates] == sorted(item.source for item in found)
    assert {f.sample for f in done.fates if f.fate == "kept"} == {s.id for s in done.samples}
    assert all(isinstance(i, Memory | Unreadable) for i in found)
