from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idiolect.errors import ExportFault
from idiolect.memories.importers.ledger import Seen, lines


@given(st.lists(st.tuples(st.text(max_size=3), st.text(max_size=3)), max_size=60))
def test_seen_is_a_set(items: list[tuple[str, str]]) -> None:
    seen = Seen()
    known: set[tuple[str, str]] = set()
    for item in items:
        assert (item in seen) == (item in known)
        assert seen.add(item) == (item not in known)
        known.add(item)
        assert item in seen
    assert len(seen) == len(known)


def test_seen_grows_far_beyond_its_beginnings() -> None:
    seen = Seen()
    assert all(seen.add(("t", str(n))) for n in range(20_000))
    assert not any(seen.add(("t", str(n))) for n in range(20_000))
    assert ("t", "20000") not in seen


def test_a_malformed_line_is_named(tmp_path: Path) -> None:
    assert not list(lines(tmp_path / "none.jsonl"))
    path = tmp_path / "ledger.jsonl"
    path.write_text('{"thread": "t", "rule": "x", "left": ["1"]}\n{"thread"')
    with pytest.raises(ExportFault, match="line 2 is malformed"):
        list(lines(path))
