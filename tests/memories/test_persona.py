from __future__ import annotations

from pathlib import Path

import pytest

from idiolect.memories import persona_name


@pytest.mark.parametrize(
    ("core", "name"),
    [
        ('{"identity": {"name": " Ada L. "}}', "Ada L."),
        ('{"identity": {"name": ""}}', "ada"),
        ('{"identity": []}', "ada"),
        ("[]", "ada"),
        ("{", "ada"),
        (None, "ada"),
    ],
)
def test_the_persona_names_the_person_or_the_profile_does(tmp_path: Path, core: str | None, name: str) -> None:
    if core is not None:
        (tmp_path / "core.json").write_text(core)
    assert persona_name(tmp_path / "core.json", "ada") == name
