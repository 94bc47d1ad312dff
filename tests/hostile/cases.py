"""Many cases of a kind: a few with every change, all of them with the slow tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest


def cases(kinds: Mapping[str, Any] | Sequence[Any], fast: int) -> list[Any]:
    """Return parameters of which the first `fast` are run with the fast tests."""
    # A function's repr has its address, which differs from process to process.
    listed = ((getattr(kind, "__name__", repr(kind)), kind) for kind in kinds)
    named = kinds.items() if isinstance(kinds, Mapping) else listed
    return [
        pytest.param(kind, id=name, marks=[pytest.mark.slow] if number >= fast else [])
        for number, (name, kind) in enumerate(named)
    ]
