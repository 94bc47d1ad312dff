"""Who the person is, from persona/core.json."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from idiolect.files import DAMAGED, regular_bytes


def persona_name(core_json: Path, otherwise: str) -> str:
    """Return the name that the persona states, or `otherwise` where it states none."""
    name = _identity(core_json).get("name")
    return name.strip() if isinstance(name, str) and name.strip() else otherwise


def persona_names(core_json: Path) -> Iterator[str]:
    """Yield every name that the persona states: `name`, `humanName`, `aliases`."""
    yield from _names(_identity(core_json))


def names_in(core: bytes) -> Iterator[str]:
    """Yield every name that the content of a persona/core.json states."""
    yield from _names(_identity_in(core))


def _names(identity: dict[str, Any]) -> Iterator[str]:
    aliases = identity.get("aliases")
    for name in (identity.get("name"), identity.get("humanName"), *(aliases if isinstance(aliases, list) else ())):
        if isinstance(name, str) and name.strip():
            yield name.strip()


def _identity(core_json: Path) -> dict[str, Any]:
    try:
        return _identity_in(regular_bytes(core_json))
    except OSError:
        return {}


def _identity_in(core: bytes) -> dict[str, Any]:
    try:
        identity = msgspec.json.decode(core)["identity"]
    except (*DAMAGED, KeyError, TypeError):
        return {}
    return identity if isinstance(identity, dict) else {}
