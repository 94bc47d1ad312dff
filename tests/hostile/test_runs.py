"""Promise: what is taken away from a run while it goes on, and what a kill leaves in its first moment, is said."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from idiolect.errors import RunFailed
from idiolect.files import remove, write_json
from idiolect.home import FULL, Home
from idiolect.training import Note
from idiolect.workflow.cycle import _say_who_died, run_cycle
from idiolect.workflow.planning.plan import Asked
from idiolect.workflow.records.events import Began
from idiolect.workflow.records.lock import Holder
from tests.conftest import MakePerson

LABEL = "2026-01-01-120000-abcdef"


@pytest.mark.slow
def test_a_file_that_is_taken_away_during_training_is_missed(
    home: Home, make_person: MakePerson, talks: list[dict[str, Any]], tiny_base: Any
) -> None:
    make_person("ada", talks, base_model=str(tiny_base), dtype="float32", num_train_epochs=1)

    def listen(event: Any) -> None:
        if isinstance(event, Began) and event.step == "quantize":
            for run in home.profile("ada").runs():
                remove(run.curated)

    with pytest.raises(RunFailed, match=r"curated_memories\.json was taken away"):
        run_cycle(home, Asked("ada", {}, {}), FULL, listen)


def test_nobody_is_told_to_go_on_with_a_run_that_never_began(home: Home) -> None:
    profile = home.profile("ada")
    died = Holder(LABEL, 1, "here", datetime.now(UTC))
    (profile.work / LABEL).mkdir(parents=True)
    (profile.work / LABEL / ".journal.json.1.partial").write_text("{")
    told: list[Any] = []
    _say_who_died(died, profile, "another", told.append)
    assert told == []
    assert not (profile.work / LABEL).exists()
    write_json(profile.run(FULL, LABEL).journal, {})
    _say_who_died(died, profile, "another", told.append)
    assert [type(event) for event in told] == [Note]
