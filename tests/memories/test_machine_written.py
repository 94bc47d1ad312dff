from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from idiolect.config import CurationRules, WhoseWords
from idiolect.memories import MachineWritten, read_event

SHIPPED = MachineWritten(WhoseWords().machine_written)

#: Notices as the writers of MetaHuman OS leave them, and the rule that each falls under.
NOTICES: list[tuple[str, dict[str, Any]]] = [
    ("agency", {"type": "inner_dialogue", "tags": ["agency", "feasibility", "rejected", "inner"]}),
    ("agency", {"type": "inner_dialogue", "metadata": {"source": "outcome-reviewer", "desireId": "d", "verdict": "x"}}),
    ("agency", {"type": "inner_dialogue", "tags": ["agency", "feedback", "user-input", "inner"]}),
    ("agency", {"type": "inner_dialogue", "metadata": {"agency": True, "desiresGenerated": 2}}),
    ("proposal", {"type": "operator_feedback", "tags": ["operator-feedback", "training-data", "positive"]}),
    ("environment", {"type": "conversation", "metadata": {"cognitiveMode": "environment", "sessionId": "r"}}),
    ("environment", {"type": "environment_observation"}),
    ("question to the person", {"type": "inner_dialogue", "tags": ["curiosity", "question", "exploration", "inner"]}),
    ("question to the person", {"type": "conversation", "tags": ["chat", "conversation", "curiosity", "assistant"]}),
    ("question to the person", {"type": "conversation", "metadata": {"curiosity": {"isCuriosityQuestion": True}}}),
    ("question to itself", {"type": "inner_dialogue", "metadata": {"innerCuriosity": {"question": "?"}}}),
    ("research", {"type": "inner_dialogue", "metadata": {"curiosity": {"researchFile": "q.md"}}}),
    ("summary", {"type": "inner_dialogue", "tags": ["idle-thought", "summary", "concise", "inner"]}),
    ("summary", {"type": "summary", "tags": ["bees", "ingested", "ai", "curated", "summary-only"]}),
    ("abstract", {"type": "observation", "tags": ["bees", "ingested", "ai", "curated"]}),
    ("agency", {"type": "observation", "tags": ["garden"], "metadata": {"dialogueSource": "outcome-reviewer"}}),
    ("agency", {"type": "observation", "tags": ["garden"], "metadata": {"source": "desire-planner"}}),
    ("drift", {"type": "inner_dialogue", "metadata": {"source": "drift-monitor", "accuracy": 80}}),
    ("curator", {"type": "inner_dialogue", "metadata": {"curator": {"memoriesProcessed": 10}}}),
    ("calendar", {"type": "observation", "tags": ["calendar", "event", "all-day"], "metadata": {"calendar": {}}}),
    ("photo", {"type": "observation", "tags": ["photo"], "metadata": {"photo": {"filepath": "x.jpg"}}}),
    ("voice memo", {"type": "observation", "metadata": {"voiceMemo": {}, "provenance": "voice-memo"}}),
    ("audio summary", {"type": "audio", "tags": ["audio", "transcript", "bees"]}),
]

#: What the person wrote, though it is tagged with a machine's words: by themselves, or by the organizer's model.
OWN: list[dict[str, Any]] = [
    {"type": "observation", "tags": ["ingested", "ai", "curated", "raw-text"], "metadata": {"rawText": True}},
    {"type": "observation", "tags": ["research", "agency", "drift", "curator", "calendar", "photo", "summary", "ai"]},
    {"type": "observation", "tags": ["audio", "transcript"]},
    {"type": "journal", "tags": ["environment", "curiosity", "question"]},
    {"type": "observation", "tags": ["ingested", "inbox"]},
    {"type": "observation", "tags": ["letter", "ingested", "ai", "raw-text", "training-data"]},
    {"type": "inner_dialogue", "tags": ["idle-thought", "self-reflection", "inner"]},
    {"type": "inner_dialogue", "tags": ["dream", "subconscious", "inner"], "metadata": {"dialogueSource": "dreamer"}},
    {"type": "conversation", "metadata": {"cognitiveMode": "dual", "source": "web", "photo": None}},
    {"type": "conversation", "metadata": {"curiosity": {"answerTo": "q"}}},
    {"type": "observation", "metadata": {"source": "mobile", "provenance": "local-file"}},
]


@pytest.mark.parametrize(("rule", "event"), NOTICES)
def test_what_machines_write_is_known_by_who_wrote_it(rule: str, event: dict[str, Any]) -> None:
    assert SHIPPED.rule(read_event({"content": "Text.", **event}, "2026/a.json")) == rule


@pytest.mark.parametrize("event", OWN)
def test_a_tag_alone_takes_nothing_from_the_person(event: dict[str, Any]) -> None:
    assert SHIPPED.rule(read_event({"content": "Text.", **event}, "2026/a.json")) is None


def test_the_folder_tells_too_and_case_does_not_matter() -> None:
    assert SHIPPED.rule(read_event({"content": "Text."}, "tool-invocations/2026/a.json")) == "tool call"
    assert SHIPPED.rule(read_event({"content": "Text.", "type": "Summary"}, "a.json")) == "summary"


def test_a_person_switches_a_rule_off_and_adds_one() -> None:
    given = {"photo": [], "letters": ["tag=ingested"], "mine": ["metadata.source=robot & type=observation"]}
    rules = CurationRules.model_validate({"machine_written": given}).machine_written
    found = MachineWritten(rules)
    photo = read_event({"content": "A boat.", "metadata": {"photo": {}}}, "a.json")
    letter = read_event({"content": "Dear Ada.", "tags": ["ingested", "inbox"]}, "a.json")
    robot = read_event({"content": "Beep.", "metadata": {"source": "robot"}}, "a.json")
    assert [found.rule(m) for m in (photo, letter, robot)] == [None, "letters", "mine"]
    assert found.rule(read_event({"content": "x", "type": "summary"}, "a.json")) == "summary"


def test_a_list_as_it_was_written_before_replaces_all_rules() -> None:
    rules = CurationRules.model_validate({"machine_written": ["summary", "ingested"]})
    found = MachineWritten(rules.machine_written)
    assert found.rule(read_event({"content": "x", "tags": ["ingested"]}, "a.json")) == "listed"
    assert found.rule(read_event({"content": "x"}, "ingested/a.json")) == "listed"
    assert found.rule(read_event({"content": "x", "type": "audio"}, "a.json")) is None


@pytest.mark.parametrize("mark", ["=x", "kind=dream", "metadata.", "tag=", "type=dream & & tag=x", "metadata.a.b.c"])
def test_a_mark_that_means_nothing_is_refused(mark: str) -> None:
    with pytest.raises(ValidationError):
        CurationRules.model_validate({"machine_written": {"mine": [mark]}})
