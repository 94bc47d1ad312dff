"""What was read, sent, published and deleted: `logs/audit/YYYY-MM-DD.ndjson` of a profile, as MetaHuman OS keeps it.

A line is {timestamp, level, category, event, details, actor, userId} (its `packages/core/src/audit.ts`). Details are
counts, labels, hosts and names of files of ours: never a memory's text, nor its file's name, which is made of it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Literal

import msgspec

from idiolect.files import make_folder
from idiolect.home import Profile

Level = Literal["info", "warn", "error", "critical"]
Category = Literal["system", "decision", "action", "security", "data"]


def audit(
    profile: Profile,
    event: str,
    details: Mapping[str, Any],
    *,
    category: Category = "action",
    level: Level = "info",
) -> None:
    """Append a line to the audit log of today (UTC)."""
    now = datetime.now(UTC)
    line = {
        "timestamp": now.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "level": level,
        "category": category,
        "event": event,
        "details": details,
        "actor": "idiolect",
        "userId": profile.person,
    }
    make_folder(profile.audit)
    with open(profile.audit / f"{now:%Y-%m-%d}.ndjson", "ab", opener=_without_waiting) as log:
        log.write(msgspec.json.encode(line) + b"\n")


def _without_waiting(path: str, flags: int) -> int:
    """Open a pipe, too, at once: one that nobody reads is an error, and no wait."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0), 0o600)
