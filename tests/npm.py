"""Real parts that only npm has: a package's own files, fetched once a test session, none of its code run by Node."""

from __future__ import annotations

import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest


def fetched(name: str, version: str, folder: Path) -> Path:
    """Unpack a package of npm into `folder` and return its root; the test is skipped where npm cannot fetch it."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm is not installed")
    done = subprocess.run(
        [npm, "pack", f"{name}@{version}", "--silent"], cwd=folder, capture_output=True, text=True, check=False
    )
    if done.returncode:
        pytest.skip(f"npm cannot fetch {name}@{version}: {done.stderr.strip()[-200:]}")
    with tarfile.open(folder / done.stdout.split()[-1]) as archive:
        archive.extractall(folder, filter="data")
    return folder / "package"
