"""Where a data set is too small because it was asked for so, the options that made it small are named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from idiolect.errors import DataFault
from idiolect.home import Home
from idiolect.workflow.data.dataset import make_dataset
from idiolect.workflow.planning.plan import Asked
from tests.checkout import write_memories


def told(home: Home, base: Path, **flags: Any) -> str:
    said: dict[str, str] = {}
    make_dataset(home, Asked("ada", {}, {"base_model": str(base), **flags}), said.__setitem__)
    return said["validate"]


def test_options_that_left_memories_out_are_named(home: Home, tiny_base: Path) -> None:
    write_memories(home.profile("ada").memories, 24)
    assert "not selected" not in told(home, tiny_base)
    assert told(home, tiny_base, max_samples=8).endswith(" 16 memories were not selected (--max 8).")
    with pytest.raises(DataFault) as fault:
        told(home, tiny_base, max_samples=2)
    assert "no sample is left to hold out" in fault.value.problem
    assert fault.value.remedy.endswith("22 memories were not selected (--max 2).")
    recent = told(home, tiny_base, days_recent=5, old_samples=2)
    assert "(--days-recent 5, --old-samples 2)" in recent
