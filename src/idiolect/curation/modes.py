"""Which cognitive mode a memory belongs to."""

from __future__ import annotations

from collections.abc import Mapping

from idiolect.config import MODES, Mode
from idiolect.memories import Memory


def mode_of(memory: Memory, by_type: Mapping[str, Mode]) -> tuple[Mode, str]:
    """Return the mode and what decided it: the memory's own word, its type, a part of its type, or neither."""
    for mode in MODES:
        if memory.mode == mode:
            return mode, "memory"
    kind = memory.type.lower()
    if kind in by_type:
        return by_type[kind], "type"
    for name, mode in by_type.items():
        if name in kind:
            return mode, "part of type"
    return "emulation", "default"
