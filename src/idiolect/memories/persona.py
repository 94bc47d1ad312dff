"""Who the person is, from persona/core.json."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from idiolect.files import DAMAGED


def persona_name(core_json: Path, otherwise: str) -> str:
    """Return the name that the persona states, or `otherwise` where it states none."""
    try:
        core: Any = msgspec.json.decode(core_json.read_bytes())
        name = core["identity"]["name"]
    except (*DAMAGED, KeyError, TypeError):
        return otherwise
    return name.strip() if isinstance(name, str) and name.strip() else otherwise
