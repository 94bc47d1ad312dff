"""The diary of Samuel Pepys, where it is at hand: real writing by a person of an unmistakable voice."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from idiolect.files import write_json
from idiolect.home import Profile

_PLACE = Path("shared") / "data" / "pepys" / "1660-1662.jsonl"
PEPYS = next((p / _PLACE for p in Path(__file__).parents if (p / _PLACE).exists()), None)
needs_pepys = pytest.mark.skipif(PEPYS is None, reason="the diary is not at hand")


def write_pepys(profile: Profile, written: Callable[[str], str] = str) -> None:
    """Write the diary's 4,688 entries as memories; `written` may change their words."""
    assert PEPYS
    write_json(profile.persona, {"identity": {"name": "Samuel Pepys"}})
    for number, line in enumerate(PEPYS.read_text(encoding="utf-8").splitlines()):
        entry = json.loads(line)
        event = {"type": "journal", "timestamp": entry["time"], "content": written(entry["text"])}
        write_json(profile.memories / entry["time"][:4] / f"{number:04}.json", event)
