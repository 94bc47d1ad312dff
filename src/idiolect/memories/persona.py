"""Who the person is, from persona/core.json."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from idiolect.files import DAMAGED


def persona_name(core_json: Path, otherwise: str) -> str:
    """Return the name that the persona states, or `otherwise` where it states none."""
    name = _identity(core_json).get("name")
    return name.strip() if isinstance(name, str) and name.strip() else otherwise


def persona_names(core_json: Path) -> tuple[str, ...]:
    """Return all names that the persona states: its own, the person's, and what else they are called."""
    identity = _identity(core_json)
    aliases = identity.get("aliases")
    stated = (identity.get("name"), identity.get("humanName"), *(aliases if isinstance(aliases, list) else ()))
    return tuple(name.strip() for name in stated if isinstance(name, str) and name.strip())


def _identity(core_json: Path) -> dict[str, Any]:
    try:
        core: Any = msgspec.json.decode(core_json.read_bytes())
        identity = core["identity"]
    except (*DAMAGED, KeyError, TypeError):
        return {}
    return identity if isinstance(identity, dict) else {}
