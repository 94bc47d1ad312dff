"""What every source's cases need: an export laid down, imported, and what came of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from idiolect.home import Home
from idiolect.memories.importers import Asked, Export, Imported, bring_in
from tests.memories.importers.test_cases import turns

Bring = Callable[..., "Brought"]


class Brought:
    """What came of an import: the person's turns, what stands before them, and when memories are from."""

    def __init__(self, done: Imported, home: Home) -> None:
        self.done = done
        self.own, self.context, self.when = turns(home)

    @property
    def words(self) -> str:
        return "\n".join(self.own)


@pytest.fixture
def bring(home: Home, tmp_path: Path) -> Bring:
    def brought(source: str, files: dict[str, Any], *me: str, day_first: bool | None = None) -> Brought:
        for name, content in files.items():
            path = tmp_path / "export" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            text = content if isinstance(content, str) else json.dumps(content, ensure_ascii=True)
            path.write_text(text, encoding="utf-8")
        with Export(tmp_path / "export") as export:
            asked = Asked(me=me, day_first=day_first)
            return Brought(bring_in(source, export, home.profile("u"), asked, pause=6 * 3600), home)

    return brought
