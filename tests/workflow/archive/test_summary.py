from __future__ import annotations

import json
from typing import Any

import pytest

from idiolect.workflow.archive.summary import read_summary
from tests.conftest import MakeRun


@pytest.mark.parametrize(
    ("noted", "holds"),
    [
        ({"context": 512, "options": {"max_seq_length": {"value": 1024, "from": "default"}}}, 512),
        ({"options": {"max_seq_length": {"value": 1024, "from": "default"}}}, 1024),
        ({"options": {"max_seq_length": {"value": "many", "from": "default"}}}, 2048),
        ({}, 2048),
    ],
)
def test_a_run_holds_what_it_was_trained_on_also_where_that_was_not_noted_yet(
    make_run: MakeRun, noted: dict[str, Any], holds: int
) -> None:
    run = make_run("2026-01-01", **noted)
    assert ("context" in json.loads(run.summary.read_text())) == ("context" in noted)
    assert read_summary(run.summary).holds == holds
