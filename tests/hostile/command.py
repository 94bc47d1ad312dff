"""A command as a person gives it, in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path


def idiolect(
    *words: str | Path, home: Path, environ: Mapping[str, str] | None = None, before: str = "", seconds: float = 60
) -> subprocess.CompletedProcess[str]:
    """Run `idiolect WORDS --home HOME`; `before` is a shell's command that goes before it in the same process."""
    command = [sys.executable, "-m", "idiolect", *map(str, words), "--home", str(home)]
    if before:
        command = ["bash", "-c", f'{before}; exec "$@"', "bash", *command]
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        timeout=seconds,
        stdin=subprocess.DEVNULL,
        env={**os.environ, **(environ or {})},
    )


def assert_two_lines(done: subprocess.CompletedProcess[str], code: int = 2) -> None:
    """An error of ours: two lines, an exit code, no traceback."""
    said = done.stderr.strip().splitlines()
    assert "Traceback" not in done.stderr, done.stderr
    assert done.returncode == code, done.stderr
    assert len(said) == 2, done.stderr
