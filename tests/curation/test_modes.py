from __future__ import annotations

import pytest

from idiolect.config import CurationRules
from idiolect.curation.modes import mode_of
from idiolect.memories import Memory, Turn


@pytest.mark.parametrize(
    ("kind", "stated", "expected"),
    [
        ("dream", None, ("dual", "type")),
        ("Dream", None, ("dual", "type")),
        ("journal", None, ("emulation", "type")),
        ("tool_use", None, ("agent", "type")),
        ("dream", "agent", ("agent", "memory")),
        ("dream", "loud", ("dual", "type")),
        ("lucid_dream", None, ("dual", "part of type")),
        ("poem", None, ("emulation", "default")),
    ],
)
def test_the_memory_itself_then_its_type_decides(kind: str, stated: str | None, expected: tuple[str, str]) -> None:
    memory = Memory(source="x", type=kind, turns=(Turn("person", "Rain."),), mode=stated)
    assert mode_of(memory, CurationRules().modes) == expected
