"""Where MetaHuman OS keeps its users: in profiles/, where persona/users.json says, or, of old, in the checkout itself.

The rules are those of its packages/core/src/path-builder.ts: a place of one's own must be an absolute path of a folder
that is there; one that is not is an error, unless its `fallbackBehavior` allows profiles/<user>. What it does without
a user (paths.ts) is what it did before there were users: memory/, persona/, etc/ and out/ stand in the root.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from idiolect.errors import UserFault
from idiolect.files import regular_bytes

#: What may be a user's name where a file that names one is read; it becomes a part of paths.
_NAME = re.compile(r"\w[\w.-]*")


def people(root: Path) -> list[str]:
    """Return whose folders can be reached, sorted."""
    profiles = root / "profiles"
    known = {p.name for p in profiles.iterdir() if p.is_dir()} if profiles.is_dir() else set()
    for name, storage in _storages(root).items():
        if _reached(storage):
            known.add(name)
        elif not _may_fall_back(storage):
            known.discard(name)
    return sorted(known) or _alone(root)[:1]


def is_known(root: Path, person: str) -> bool:
    """Whether there is such a person, who may have several names where there is no other."""
    return person in people(root) or person in _alone(root)


def folder_of(root: Path, person: str) -> Path:
    """Return where a person's folders are, or would be. Raises UserFault if that place cannot be reached now."""
    storage = _storages(root).get(person)
    if storage is None:
        return root if person in _alone(root) else root / "profiles" / person
    if place := _reached(storage):
        return place
    if _may_fall_back(storage):
        return root / "profiles" / person
    raise UserFault(
        f"{person} is kept in {storage.get('path')}, as {root / 'persona' / 'users.json'} says, and no such folder is "
        "there.",
        "Connect or unlock that disk; MetaHuman OS allows no other place for this user (fallbackBehavior).",
    )


def _alone(root: Path) -> list[str]:
    """Return the names of the one person of a checkout without users, first the one that lists show; [] elsewhere."""
    if not (root / "memory" / "episodic").is_dir():
        return []
    profiles = root / "profiles"
    if _storages(root) or (profiles.is_dir() and any(p.is_dir() for p in profiles.iterdir())):
        return []
    persona = _persona_name(root / "persona" / "core.json")
    default = root / "etc" / "default-user.txt"
    names = [
        *(user["username"] for user in _users(root)),
        persona.lower(),
        persona,
        default.read_text(encoding="utf-8", errors="replace").strip() if default.is_file() else "",
    ]
    return [name for name in dict.fromkeys(names) if _NAME.fullmatch(name)] or ["owner"]


def _persona_name(core_json: Path) -> str:
    try:
        core = _json(core_json)
        return str(core["identity"]["name"]).strip()
    except (UserFault, KeyError, TypeError):
        return ""


def _reached(storage: Mapping[str, Any]) -> Path | None:
    place = Path(storage["path"])
    return place if place.is_absolute() and place.is_dir() else None


def _may_fall_back(storage: Mapping[str, Any]) -> bool:
    return storage.get("fallbackBehavior") not in (None, "", "error")


def _storages(root: Path) -> dict[str, dict[str, Any]]:
    """Return user → where they chose to be kept, of those who did."""
    found = {}
    for user in _users(root):
        metadata = user.get("metadata")
        storage = metadata.get("profileStorage") if isinstance(metadata, dict) else None
        if isinstance(storage, dict) and isinstance(storage.get("path"), str) and storage["path"]:
            found[user["username"]] = storage
    return found


def _users(root: Path) -> list[dict[str, Any]]:
    path = root / "persona" / "users.json"
    store = _json(path)
    if store is None:
        return []
    users = store.get("users") if isinstance(store, dict) else None
    if not isinstance(users, list):
        raise UserFault(f"{path} holds no list of users.", "Whose memories are where is not known: mend it first.")
    return [u for u in users if isinstance(u, dict) and isinstance(u.get("username"), str)]


def _json(path: Path) -> Any:
    """Return what a JSON file holds, None if it is not there. Raises UserFault for one that cannot be read."""
    try:
        return msgspec.json.decode(regular_bytes(path))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, UnicodeDecodeError, RecursionError, msgspec.MsgspecError) as error:
        raise UserFault(
            f"{path} cannot be read: {error}", "Whose memories are where is not known: mend it first."
        ) from error
