from __future__ import annotations

from pathlib import Path

import pytest

from idiolect.errors import UserFault
from idiolect.files import write_json
from idiolect.home import FULL, Home
from idiolect.workflow.archive.differences import Line, compare_runs
from idiolect.workflow.archive.runs import details, find
from idiolect.workflow.cycle import carry_out, new_journal
from idiolect.workflow.planning.plan import Asked, plan
from tests.conftest import Event, MakePerson
from tests.workflow.short_worker import short_steps


def test_two_runs_differ_in_what_was_asked_and_in_what_came_of_it(
    home: Home, make_person: MakePerson, talks: list[Event], tiny_base: Path
) -> None:
    person = make_person("ada", talks, base_model=str(tiny_base))
    labels = []
    for most, score in ((20, 0.5), (30, 0.75)):
        asked = Asked(person, {}, {"max_samples": most})
        decided = plan(home, asked, FULL)
        run = carry_out(decided, new_journal(decided, asked), lambda _: None, short_steps(0)).run
        write_json(run.evaluation, {"style": {"score": score}, "samples": [{"prompt": "?"}]})
        labels.append(run.label)
    lines = compare_runs(home, *labels)
    assert [line for line in lines if line.part == "options"] == [Line("options", "max_samples", 20, 30)]
    assert Line("evaluation", "style.score", 0.5, 0.75) in lines
    assert Line("data", "train", 15, 23) in lines
    assert Line("run", "state", "succeeded", "succeeded") in lines

    profile, run = find(home, labels[0])
    assert profile.person == person
    assert [step.step for step in details(home, run.label).steps] == ["curate", "format", "schema", "export", "wait"]
    with pytest.raises(UserFault, match="Nobody has a run 2020"):
        compare_runs(home, labels[0], "2020")
